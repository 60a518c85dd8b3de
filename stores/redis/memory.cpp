#include "memory.hpp"

#include <agentd/sdk/numbers.hpp>
#include <agentd/sdk/words.hpp>

#include <map>

#include "scripts.hpp"

namespace agentd::redis {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

int64_t number(sdk::MemoryType type) { return static_cast<int64_t>(type); }

sdk::MemoryEntry entry(const Value& fields, const std::string& agent) {
  sdk::MemoryEntry e;
  e.agent_id = agent;
  e.id = fields[0].text(), e.session_id = fields[2].text(), e.text = fields[3].text(), e.json = fields[4].text();
  e.type = static_cast<sdk::MemoryType>(fields[1].number());
  e.created_ms = fields[5].number();
  e.position = static_cast<uint64_t>(fields[6].number());
  return e;
}

std::vector<sdk::MemoryEntry> entries(const Reply& reply, const std::string& agent) {
  std::vector<sdk::MemoryEntry> found;
  for (std::size_t i = 0; i < reply.size(); ++i) found.push_back(entry(reply[i], agent));
  return found;
}

}  // namespace

Memory::Memory(const Settings& settings, const sdk::Host& host) : prefix_(settings.prefix + "memory:"), client_(settings, host) {}

// An agent's name ends at the colon behind it, whatever the name is.
std::string Memory::keys_of(std::string_view agent) const {
  std::string keys = prefix_;
  for (const char c : agent) keys += c == ':' ? "%3a" : c == '%' ? "%25" : std::string(1, c);
  return keys + ':';
}

void Memory::put(const std::vector<sdk::MemoryEntry>& entries) {
  std::map<std::string_view, std::vector<const sdk::MemoryEntry*>> by_agent;
  for (const auto& e : entries) by_agent[e.agent_id].push_back(&e);
  if (by_agent.size() > 1) throw sdk::Error("entries of several agents are not put together");
  for (const auto& [agent, its_entries] : by_agent) {
    Command command(script::kPut, keys_of(agent));
    for (const auto* e : its_entries) {
      const auto words = sdk::words_of(e->text);
      command.add(e->id).add(number(e->type)).add(e->session_id).add(e->text).add(e->json).add(e->created_ms).add(" " + joined(words) + " ").add(static_cast<uint64_t>(words.size()));
    }
    client_.ask(command);
  }
}

std::vector<sdk::MemoryEntry> Memory::list(const sdk::MemoryQuery& query) {
  const auto reply = client_.ask(Command(script::kList, keys_of(query.agent_id), number(query.type), query.session_id, query.before, query.limit));
  return entries(reply, query.agent_id);
}

std::vector<sdk::MemoryEntry> Memory::search(const sdk::MemoryQuery& query) {
  Command command(script::kSearch, keys_of(query.agent_id), number(query.type), query.session_id, query.limit);
  for (const auto& phrase : sdk::phrases_of(query.text)) command.add(joined(phrase));
  const auto reply = client_.ask(command);
  auto found = entries(reply, query.agent_id);
  for (std::size_t i = 0; i < found.size(); ++i) found[i].score = sdk::Json(reply[i][7].text()).number();
  return found;
}

uint64_t Memory::remove(const sdk::MemoryQuery& query) {
  const auto reply = client_.ask(Command(script::kRemove, keys_of(query.agent_id), query.id, number(query.type), query.session_id), Again::no);
  return static_cast<uint64_t>(reply.number());
}

}  // namespace agentd::redis
