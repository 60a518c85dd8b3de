#include "scripts.hpp"

namespace agentd::redis::script {
namespace {

const std::string kEntries = R"lua(
local base = KEYS[1]
local all, counts = base .. 'all', base .. 'counts'
local function entry(id) return base .. 'entry:' .. id end
local function of_type(type) return base .. 'type:' .. type end
local function of_session(session) return base .. 'session:' .. session end
local function of_word(type, word) return base .. 'word:' .. type .. ':' .. word end

-- Calls f with the key of every sorted set that an entry is in.
local function each_place(type, session, words, f)
  f(all)
  f(of_type(type))
  if session ~= '' then f(of_session(session)) end
  local seen = {}
  for word in string.gmatch(words, '[^ ]+') do
    if not seen[word] then
      seen[word] = true
      f(of_word(type, word))
    end
  end
end

-- The position it had.
local function take_out(id)
  local position, type, session, words, length = unpack(redis.call('HMGET', entry(id), 'position', 'type', 'session', 'words', 'length'))
  if not position then return nil end
  each_place(type, session, words, function(place) redis.call('ZREM', place, id) end)
  redis.call('HINCRBY', counts, 'words', -length)
  redis.call('DEL', entry(id))
  return position
end

-- Nothing for an entry that somebody else took away.
local function read(id)
  local fields = redis.call('HMGET', entry(id), 'type', 'session', 'text', 'json', 'created', 'position')
  if not fields[1] then return nil end
  table.insert(fields, 1, id)
  return fields
end

-- The set to look through for entries of a type ('0': any) and a session ('': any); the other has to be looked at.
local function narrowest(type, session)
  if session ~= '' then return of_session(session) end
  return type ~= '0' and of_type(type) or all
end
)lua";

const std::string kEvents = R"lua(
local stream = KEYS[1]

-- What of an entry tells one event from another; nothing for an entry of somebody else.
local function told(entry)
  local fields = {}
  for i = 1, #entry[2], 2 do fields[entry[2][i]] = entry[2][i + 1] end
  if not fields.id or #fields.id < 18 or not string.match(fields.id, '^%x+%-%d+$') then return nil end
  return {entry[1], fields.id, fields.timestamp or '', fields.run_id or ''}
end

local function latest()
  local to = '+'
  while true do
    local page = redis.call('XREVRANGE', stream, to, '-', 'COUNT', 64)
    for _, entry in ipairs(page) do
      local event = told(entry)
      if event then return event end
    end
    if #page == 0 then return nil end
    to = '(' .. page[#page][1]
  end
end

local function page_of(entries)
  local out = {''}
  for _, entry in ipairs(entries) do
    out[1] = entry[1]
    local event = told(entry)
    if event then out[#out + 1] = event end
  end
  return out
end
)lua";

}  // namespace

const Script kPut(kEntries + R"lua(
redis.call('HINCRBY', counts, 'words', 0)
for i = 1, #ARGV, 8 do
  local id, type, session, text, json, created, words, length = unpack(ARGV, i, i + 7)
  local position = take_out(id) or redis.call('HINCRBY', counts, 'last', 1)
  redis.call('HSET', entry(id), 'type', type, 'session', session, 'text', text, 'json', json, 'created', created, 'position', position, 'length', length, 'words', words)
  each_place(type, session, words, function(place) redis.call('ZADD', place, position, id) end)
  redis.call('HINCRBY', counts, 'words', length)
end
return redis.status_reply('OK')
)lua");

const Script kList(kEntries + R"lua(
local type, session, before, limit = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local place = narrowest(type, session)
local from = before == '0' and '+inf' or '(' .. before
local found = {}
while #found < limit do
  local ids = redis.call('ZREVRANGEBYSCORE', place, from, '-inf', 'LIMIT', 0, 256)
  if #ids == 0 then break end
  for _, id in ipairs(ids) do
    if type == '0' or redis.call('HGET', entry(id), 'type') == type then found[#found + 1] = read(id) end
    if #found == limit then break end
  end
  from = '(' .. redis.call('ZSCORE', place, ids[#ids])
end
return found
)lua");

// Okapi BM25 with the usual constants. At most 10,000 entries are looked at, those with the rarest words first and of these the newest.
const Script kSearch(kEntries + R"lua(
local type, session, limit = ARGV[1], ARGV[2], tonumber(ARGV[3])
local types = type == '0' and {'1', '2', '3'} or {type}
local documents = redis.call('ZCARD', all)
if documents == 0 then return {} end
local mean = redis.call('HGET', counts, 'words') / documents

local phrases = {}
for i = 4, #ARGV do
  local rarest, fewest
  for word in string.gmatch(ARGV[i], '[^ ]+') do
    local count = 0
    for _, t in ipairs(types) do count = count + redis.call('ZCARD', of_word(t, word)) end
    if not fewest or count < fewest then rarest, fewest = word, count end
  end
  if fewest and fewest > 0 then phrases[#phrases + 1] = {text = ' ' .. ARGV[i] .. ' ', word = rarest, count = fewest, with = 0} end
end
table.sort(phrases, function(a, b) return a.count < b.count end)

local function occurrences(words, phrase)
  local count, at = 0, string.find(words, phrase, 1, true)
  while at do
    count = count + 1
    at = string.find(words, phrase, at + 1, true)
  end
  return count
end

local candidates, seen, left = {}, {}, 10000
local function look_at(id)
  if seen[id] then return end
  seen[id] = true
  left = left - 1
  local its_session, length, words, position = unpack(redis.call('HMGET', entry(id), 'session', 'length', 'words', 'position'))
  if not words or (session ~= '' and its_session ~= session) then return end
  local candidate = {id = id, length = tonumber(length), position = tonumber(position), score = 0, counts = {}}
  for p, phrase in ipairs(phrases) do
    candidate.counts[p] = occurrences(words, phrase.text)
    if candidate.counts[p] > 0 then phrase.with = phrase.with + 1 end
  end
  candidates[#candidates + 1] = candidate
end
for _, phrase in ipairs(phrases) do
  for _, t in ipairs(types) do
    if left > 0 then
      for _, id in ipairs(redis.call('ZREVRANGE', of_word(t, phrase.word), 0, left - 1)) do look_at(id) end
    end
  end
end

local fitting = {}
for _, candidate in ipairs(candidates) do
  for p, count in ipairs(candidate.counts) do
    local with = phrases[p].with
    if count > 0 then
      local rarity = math.log(1 + (documents - with + 0.5) / (with + 0.5))
      candidate.score = candidate.score + rarity * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * candidate.length / mean))
    end
  end
  if candidate.score > 0 then fitting[#fitting + 1] = candidate end
end
table.sort(fitting, function(a, b)
  if a.score ~= b.score then return a.score > b.score end
  return a.position > b.position
end)
local found = {}
for i = 1, math.min(limit, #fitting) do
  found[i] = read(fitting[i].id)
  found[i][8] = string.format('%.17g', fitting[i].score)
end
return found
)lua");

const Script kRemove(kEntries + R"lua(
local id, type, session = ARGV[1], ARGV[2], ARGV[3]
local ids = id ~= '' and {id} or redis.call('ZRANGE', narrowest(type, session), 0, -1)
local removed = 0
for _, one in ipairs(ids) do
  local its_type, its_session = unpack(redis.call('HMGET', entry(one), 'type', 'session'))
  if its_type and (type == '0' or its_type == type) and (session == '' or its_session == session) then
    take_out(one)
    removed = removed + 1
  end
end
return removed
)lua");

const Script kAppend(kEvents + R"lua(
local last = latest()
if (last and last[2] or '') ~= ARGV[1] then return 0 end
for i = 3, #ARGV, 8 do
  local id, type, agent_id, agent_name, run_id, session_id, timestamp, payload = unpack(ARGV, i, i + 7)
  redis.call('XADD', stream, 'MAXLEN', '~', ARGV[2], '*', 'id', id, 'type', type, 'agent_id', agent_id, 'agent_name', agent_name, 'run_id', run_id, 'session_id', session_id,
             'timestamp', timestamp, 'payload', payload)
end
return 1
)lua");

const Script kLatest(kEvents + "return latest()\n");
const Script kBack(kEvents + "return page_of(redis.call('XREVRANGE', stream, ARGV[1], '-', 'COUNT', ARGV[2]))\n");
const Script kForth(kEvents + "return page_of(redis.call('XRANGE', stream, ARGV[1], '+', 'COUNT', ARGV[2]))\n");

}  // namespace agentd::redis::script
