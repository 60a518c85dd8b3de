#include <algorithm>
#include <array>
#include <ostream>

#include "core/base/json_text.hpp"
#include "host/cli/ask.hpp"

namespace agentd::cli {
namespace {
using Json = nlohmann::ordered_json;

constexpr Millis kDecisionTimeout{30'000};

// Whether a part of the text would not be seen, or would turn a line around.
bool hides_something(std::string_view text) {
  constexpr std::array<std::string_view, 22> kUnseen = {"\x7f", "\u200b", "\u200e", "\u200f", "\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2060", "\u2061",
                                                       "\u2062", "\u2063", "\u2064", "\u2065", "\u2066", "\u2067", "\u2068", "\u2069", "\u061c", "\ufeff", "\U000e0001"};
  if (std::ranges::any_of(kUnseen, [text](std::string_view unseen) { return text.find(unseen) != text.npos; })) return true;
  for (auto at = text.find('\xc2'); at != text.npos; at = text.find('\xc2', at + 1))  // U+0080 to U+009F steer terminals
    if (at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xa0) return true;
  return false;
}

// In lines. A person decides by what is seen: what hides something is written in ASCII, and is the same JSON.
std::string in_plain_sight(const Json& value) {
  auto text = value.dump(2, ' ', false, Json::error_handler_t::replace);
  return hides_something(text) ? value.dump(2, ' ', true, Json::error_handler_t::replace) : text;
}

// What the words of a person do, and nobody's.
struct Consequences {
  const char *about, *approved, *denied;
};
Consequences consequences(const Json& asked) {
  if (text(asked, "about") == "outcome")
    return {"nobody knows whether it happened; it is not made again", "the run goes on, and the model is told that nobody knows", "the run is given up, and fails with unknown_outcome"};
  return {"may it be made?", "it is made, with these arguments and no others", "it is not made; the model is told by whom and why, and the run goes on"};
}

std::string decision_of(const Json& asked, const Terminal& terminal) {
  const auto decision = text(asked, "decision");
  if (decision == "-") return "none: its run waits for it no more";
  const auto when = " " + terminal.moment(text(asked, "decided_at"));
  if (decision == "timeout") return "denied by itself" + when + ": nobody decided in time";
  const auto by = text(asked, "by"), reason = text(asked, "reason");
  return (decision == "approve" ? "approved" : "denied") + when + (by == "-" ? "" : " by " + by) + (reason == "-" ? "" : ": " + reason);
}

void print_question(const Json& asked, const Output& to) {
  const auto follows = consequences(asked);
  Table table({{"key", Cut::never}, {"value", Cut::never}});
  for (const auto& [name, member] : {std::pair("call", "call_id"), std::pair("agent", "agent_id"), std::pair("run", "run_id"), std::pair("step", "step"), std::pair("tool", "tool"), std::pair("effect", "effect")})
    table.row({name, text(asked, member)});
  table.row({"question", follows.about});
  table.row({"requested", to.terminal.moment(text(asked, "requested_at"))});
  if (asked.value("is_open", false)) {
    table.row({"if approved", follows.approved});
    table.row({"if denied", follows.denied});
    table.row({"if nobody decides", "as if denied, " + to.terminal.moment(text(asked, "expires_at"))});
  } else {
    table.row({"decision", decision_of(asked, to.terminal)});
  }
  table.row({"arguments hash", text(asked, "arguments_hash")});
  to.out << table.text(to.terminal) << "arguments\n" << in_plain_sight(asked.value("arguments", Json())) << '\n';
}

}  // namespace

int perform(const ApprovalsList& command, const Output& to) {
  const auto answer = get_list(command.connection, target("/v1/approvals", {{"agent", command.agent}}), "approvals");
  if (!answer) return tell(answer.error(), to);
  if (command.connection.json) return print_json(*answer, to), kDone;
  Table table({{"call", Cut::never}, "agent", "about", "tool", "arguments", "requested", "expires"});
  for (const auto& asked : answer->value("approvals", Json::array()))
    table.row({text(asked, "call_id"), text(asked, "agent_id"), text(asked, "about"), text(asked, "tool"),
               text(asked, "arguments"), to.terminal.moment(text(asked, "requested_at")),
               to.terminal.moment(text(asked, "expires_at"))});
  to.out << table.text(to.terminal);
  return kDone;
}

int perform(const ApprovalsShow& command, const Output& to) {
  const auto asked = get(command.connection, "/v1/approvals/" + percent_encode(command.call));
  if (!asked) return tell(asked.error(), to);
  command.connection.json ? print_json(*asked, to) : print_question(*asked, to);
  return kDone;
}

int perform(const ApprovalsDecide& command, const Output& to) {
  Json body = Json::object();
  for (const auto& [member, value] : {std::pair("reason", &command.reason), std::pair("by", &command.by),
                                      std::pair("arguments_hash", &command.arguments_hash)}) {
    if (to_utf8(*value) != *value) return tell(Refusal{kUsage, std::string(member) + ": it is not UTF-8"}, to);
    if (!value->empty()) body[member] = *value;
  }
  const auto path = "/v1/approvals/" + percent_encode(command.call) + (command.approve ? "/approve" : "/deny");
  const auto answer = post(command.connection, path, body, kDecisionTimeout);
  if (!answer) return tell(answer.error(), to);
  if (command.connection.json) return print_json(*answer, to), kDone;
  Table table({{"call", Cut::never}, "tool", "decision"});
  table.row({text(*answer, "call_id"), text(*answer, "tool"), command.approve ? "approved" : "denied"});
  to.out << table.text(to.terminal);
  return kDone;
}

}  // namespace agentd::cli
