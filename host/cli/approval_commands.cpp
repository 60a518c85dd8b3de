#include <ostream>

#include "core/base/json_text.hpp"
#include "host/cli/ask.hpp"

namespace agentd::cli {
namespace {
using Json = nlohmann::ordered_json;

constexpr Millis kDecisionTimeout{30'000};

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
