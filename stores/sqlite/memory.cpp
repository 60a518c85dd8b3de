#include "memory.hpp"

#include "words.hpp"

namespace agentd::sqlite {
namespace {

// The full-text index holds each entry's text as spaced() writes it, under the entry's position, and its agent as one token: a search within an agent is
// an intersection in the index. Its agent column does not count for the score.
constexpr const char* kTables = R"(
CREATE TABLE entries(position INTEGER PRIMARY KEY AUTOINCREMENT, agent TEXT NOT NULL, id TEXT NOT NULL, type INTEGER NOT NULL, session TEXT NOT NULL,
  created INTEGER NOT NULL, text TEXT NOT NULL, json TEXT NOT NULL);
CREATE UNIQUE INDEX entries_by_id ON entries(agent, id);
CREATE INDEX entries_by_session ON entries(agent, session, position);
CREATE INDEX entries_by_agent ON entries(agent, position);
CREATE INDEX entries_that_last ON entries(agent, type) WHERE type<>1;
CREATE VIRTUAL TABLE words USING fts5(agent, text, tokenize='unicode61 remove_diacritics 2');
)";
// By stems, "dropped columns" fit "drop the column". The stems are English; texts in other languages are found as before. An agent's token
// ends with a letter that no rule of them takes away.
constexpr const char* kStemsForWords = R"(
CREATE VIRTUAL TABLE stems USING fts5(agent, text, tokenize='porter unicode61 remove_diacritics 2');
INSERT INTO stems(rowid,agent,text) SELECT rowid,agent||'x',text FROM words;
DROP TABLE words;
)";

#define ENTRY_COLUMNS "e.position,e.agent,e.id,e.type,e.session,e.created,e.text,e.json"

sdk::MemoryEntry entry(const Statement& s) {
  sdk::MemoryEntry e;
  e.position = static_cast<uint64_t>(s.integer(0));
  e.agent_id = s.text(1), e.id = s.text(2), e.session_id = s.text(4), e.text = s.text(6), e.json = s.text(7);
  e.type = static_cast<sdk::MemoryType>(s.integer(3));
  e.created_ms = s.integer(5);
  return e;
}

std::vector<sdk::MemoryEntry> all(Reading& reading) {
  std::vector<sdk::MemoryEntry> found;
  while (reading.next()) found.push_back(entry(*reading));
  return found;
}

std::int64_t type(const sdk::MemoryQuery& query) { return static_cast<std::int64_t>(query.type); }
std::int64_t limit(const sdk::MemoryQuery& query) { return static_cast<std::int64_t>(query.limit); }
std::int64_t before(const sdk::MemoryQuery& query) { return query.before ? static_cast<std::int64_t>(query.before) : INT64_MAX; }

}  // namespace

Memory::Memory(const Settings& settings, const sdk::Host& host)
try : db_(file_in(settings, "memory.db"), Db::Mode::write, {kTables, kVectorTables, kStemsForWords}),
      put_(db_, "INSERT INTO entries(agent,id,type,session,created,text,json) VALUES(?,?,?,?,?,?,?) ON CONFLICT(agent,id) DO UPDATE SET "
                "type=excluded.type,session=excluded.session,created=excluded.created,text=excluded.text,json=excluded.json RETURNING position"),
      index_(db_, "INSERT INTO stems(rowid,agent,text) VALUES(?,?,?)"),
      unindex_(db_, "DELETE FROM stems WHERE rowid=?"),
      merge_(db_, "INSERT INTO stems(stems,rank) VALUES('merge',200)"),
      lasting_(db_, "SELECT 1 FROM entries WHERE agent=?1 AND type=?2 AND type<>1 LIMIT 1"),
      search_(db_, "SELECT " ENTRY_COLUMNS ",bm25(stems,0.0,1.0) AS rank FROM stems JOIN entries e ON e.position=stems.rowid "
                   "WHERE stems MATCH ?1 AND (?2=0 OR e.type=?2) AND (?3='' OR e.session=?3) ORDER BY rank, e.position DESC LIMIT ?4"),
      remove_(db_, "DELETE FROM entries WHERE agent=?1 AND (?2='' OR id=?2) AND (?3=0 OR type=?3) AND (?4='' OR session=?4) RETURNING position"),
      list_agent_(db_, "SELECT " ENTRY_COLUMNS " FROM entries e INDEXED BY entries_by_agent WHERE agent=?1 AND position<?2 AND (?3=0 OR type=?3) "
                       "ORDER BY position DESC LIMIT ?4"),
      list_session_(db_, "SELECT " ENTRY_COLUMNS " FROM entries e INDEXED BY entries_by_session WHERE agent=?1 AND session=?5 AND position<?2 AND (?3=0 OR type=?3) "
                         "ORDER BY position DESC LIMIT ?4"),
      at_(db_, "SELECT " ENTRY_COLUMNS " FROM entries e WHERE position=?1"),
      vectors_(db_, file_in(settings, "memory.db"), host) {
  Statement(db_, "INSERT INTO stems(stems,rank) VALUES('usermerge',2)").exec();
} catch (const DbError& e) {
  throw sdk::Error(std::string("the memory store cannot be opened: ") + e.what());
}

void Memory::put_one(const sdk::MemoryEntry& e) {
  std::int64_t position = 0;
  {
    Reading putting(put_, std::string_view(e.agent_id), std::string_view(e.id), static_cast<std::int64_t>(e.type), std::string_view(e.session_id), e.created_ms,
                    std::string_view(e.text), std::string_view(e.json));
    if (putting.next()) position = putting->integer(0);
  }
  unindex_.exec(position);
  index_.exec(position, std::string_view(agent_token(e.agent_id)), std::string_view(spaced(e.text)));
  vectors_.put(position, e);
}

// What was replaced or removed stays in the index until the parts of it that say so have been merged with those that had it.
void Memory::tidy(std::size_t written) {
  constexpr std::size_t kWrittenBetween = 64;
  if ((written_ += written) < kWrittenBetween) return;
  written_ = 0;
  merge_.exec();
}

void Memory::put(const std::vector<sdk::MemoryEntry>& entries) {
  answering([&] {
    Transaction transaction(db_);
    vectors_.check(entries);
    for (const auto& entry : entries) put_one(entry);
    tidy(entries.size());
    transaction.commit();
    db_.bound_wal();
  });
}

std::vector<sdk::MemoryEntry> Memory::list(const sdk::MemoryQuery& query) {
  return answering([&] {
    if (query.session_id.empty()) {
      Reading reading(list_agent_, std::string_view(query.agent_id), before(query), type(query), limit(query));
      return all(reading);
    }
    Reading reading(list_session_, std::string_view(query.agent_id), before(query), type(query), limit(query), std::string_view(query.session_id));
    return all(reading);
  });
}

// Told from an index of the few entries that are not messages: preparing a full-text search costs far more, whether it finds something or not.
bool Memory::may_hold(const sdk::MemoryQuery& query) {
  if (query.type != sdk::MemoryType::long_term && query.type != sdk::MemoryType::procedural) return true;
  Reading reading(lasting_, std::string_view(query.agent_id), type(query));
  return reading.next();
}

std::vector<sdk::MemoryEntry> Memory::nearest(const sdk::MemoryQuery& query) {
  const Snapshot snapshot(db_);
  std::vector<sdk::MemoryEntry> found;
  for (const auto& one : vectors_.nearest(query)) {
    Reading reading(at_, static_cast<std::int64_t>(one.position));
    if (!reading.next()) continue;
    found.push_back(entry(*reading));
    found.back().score = one.score;
  }
  return found;
}

std::vector<sdk::MemoryEntry> Memory::search(const sdk::MemoryQuery& query) {
  return answering([&] {
    if (!query.vector.empty()) return nearest(query);
    std::vector<sdk::MemoryEntry> found;
    if (!may_hold(query)) return found;
    const auto words = any_word_of(query.text);
    if (words.empty()) return found;
    const auto expression = "agent:" + agent_token(query.agent_id) + " AND text:(" + words + ")";
    Reading reading(search_, std::string_view(expression), type(query), std::string_view(query.session_id), limit(query));
    while (reading.next()) {
      found.push_back(entry(*reading));
      found.back().score = -reading->real(8);  // bm25() is smaller where it fits better
    }
    return found;
  });
}

uint64_t Memory::remove(const sdk::MemoryQuery& query) {
  return answering([&] {
    Transaction transaction(db_);
    std::vector<std::int64_t> positions;
    {
      Reading removing(remove_, std::string_view(query.agent_id), std::string_view(query.id), type(query), std::string_view(query.session_id));
      while (removing.next()) positions.push_back(removing->integer(0));
    }
    for (const auto position : positions) unindex_.exec(position), vectors_.drop(position);
    tidy(positions.size());
    transaction.commit();
    return static_cast<uint64_t>(positions.size());
  });
}

}  // namespace agentd::sqlite
