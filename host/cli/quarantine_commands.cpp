#include <ostream>

#include "core/base/json_text.hpp"
#include "host/cli/params.hpp"

namespace agentd::cli {
namespace {
using Json = nlohmann::ordered_json;

constexpr Millis kReviewTimeout{30'000};

// {"by", "reason"}
Asked<Json> words_of(const QuarantineReview& command) {
  Json body = Json::object();
  for (const auto& [member, value] : {std::pair("by", &command.by), std::pair("reason", &command.reason)}) {
    if (to_utf8(*value) != *value) return std::unexpected(Refusal{kUsage, "--" + std::string(member) + ": it is not UTF-8"});
    if (!value->empty()) body[member] = *value;
  }
  return body;
}

Asked<Json> edit_of(const QuarantineReview& command) {
  auto body = words_of(command);
  if (!body) return body;
  if (!command.query && command.params.empty())
    return std::unexpected(Refusal{kUsage, "say what to change: --query or --params"});
  if (command.query && to_utf8(*command.query) != *command.query)
    return std::unexpected(Refusal{kUsage, "--query: it is not UTF-8"});
  if (command.query) (*body)["query"] = *command.query;
  if (command.params.empty()) return body;
  auto params = params_of(command.params);
  if (!params) return params;
  (*body)["params"] = std::move(*params);
  return body;
}

}  // namespace

int perform(const QuarantineList& command, const Output& to) {
  const auto answer = get_list(command.connection, target("/v1/quarantine", {{"agent", command.agent}}), "quarantine");
  if (!answer) return tell(answer.error(), to);
  if (command.connection.json) return print_json(*answer, to), kDone;
  Table table({{"run", Cut::never}, {"agent", Cut::never}, "trigger", "key", "since", "error"});
  for (const auto& run : answer->value("quarantine", Json::array()))
    table.row({text(run, "run_id"), text(run, "agent_id"), text(run, "trigger"), text(run, "key"),
               to.terminal.moment(text(run, "finished_at")), text(run, "error")});
  to.out << table.text(to.terminal);
  return kDone;
}

int perform(const QuarantineReview& command, const Output& to) {
  using What = QuarantineReview::What;
  const auto body = command.what == What::edit ? edit_of(command) : words_of(command);
  if (!body) return tell(body.error(), to);
  const auto path = "/v1/quarantine/" + percent_encode(command.run);
  const auto run =
      command.what == What::edit
          ? patch(command.connection, path, *body, kReviewTimeout)
          : post(command.connection, path + (command.what == What::retry ? "/retry" : "/drop"), *body, kReviewTimeout);
  if (!run) return tell(run.error(), to);
  if (command.connection.json) return print_json(*run, to), kDone;
  Table table({{"run", Cut::never}, "became"});
  table.row({text(*run, "run_id"), command.what == What::edit    ? "edited"
                                   : command.what == What::retry ? text(*run, "status")
                                                                 : "dropped"});
  to.out << table.text(to.terminal);
  return kDone;
}

}  // namespace agentd::cli
