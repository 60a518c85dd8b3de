#include <ostream>

#include "core/base/plain_text.hpp"
#include "host/cli/ask.hpp"

namespace agentd::cli {
namespace {
using Json = nlohmann::ordered_json;

constexpr Millis kStoreTimeout{30'000};

std::string memory_of(const std::string& agent) { return "/v1/memory/" + percent_encode(agent); }

// On the error output: what is kept and found is the same, but not how.
void tell_words_alone(const Json& answer, const char* what, const Output& to) {
  if (const auto why = answer.value("by_words_alone", ""); !why.empty()) to.err << "note: " << what << " by words alone: " << plain_text(why) << '\n';
}

void print_entries(const Json& entries, const Output& to) {
  Table table({{"id", Cut::never}, "type", "session", "created", "text"});
  for (const auto& entry : entries) table.row({text(entry, "id"), text(entry, "type"), text(entry, "session_id"), to.terminal.moment(text(entry, "created_at")), text(entry, "text")});
  to.out << table.text(to.terminal);
}

}  // namespace

int perform(const MemoryList& command, const Output& to) {
  const auto path = target(memory_of(command.agent), {{"query", command.query}, {"type", command.type}, {"session", command.session}});
  const auto answer = get_list(command.connection, path, "entries", command.limit);
  if (!answer) return tell(answer.error(), to);
  command.connection.json ? print_json(*answer, to) : print_entries(answer->value("entries", Json::array()), to);
  tell_words_alone(*answer, "it was looked for", to);
  return kDone;
}

int perform(const MemoryAdd& command, const Output& to) {
  Json body = {{"text", command.text}};
  for (const auto& [member, value] : {std::pair("type", &command.type), std::pair("session_id", &command.session), std::pair("key", &command.key)})
    if (!value->empty()) body[member] = *value;
  const auto answer = post(command.connection, memory_of(command.agent), body, kStoreTimeout);
  if (!answer) return tell(answer.error(), to);
  if (command.connection.json) print_json(*answer, to);
  else to.out << text(*answer, "id") << '\n';
  tell_words_alone(*answer, "it is found", to);
  return kDone;
}

int perform(const MemoryForget& command, const Output& to) {
  const auto answer = del(command.connection, memory_of(command.agent) + '/' + percent_encode(command.entry), kStoreTimeout);
  if (!answer) return tell(answer.error(), to);
  if (command.connection.json) print_json(*answer, to);
  return kDone;
}

}  // namespace agentd::cli
