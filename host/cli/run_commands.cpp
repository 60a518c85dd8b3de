#include <ostream>
#include <utility>

#include "core/base/json_text.hpp"
#include "core/base/name_text.hpp"
#include "core/base/plain_text.hpp"
#include "host/cli/params.hpp"

namespace agentd::cli {
namespace {
using Json = nlohmann::ordered_json;

constexpr Millis kWaitTimeout{60'000};

std::optional<Refusal> unusable(const AgentsRun& command) {
  if (command.query && to_utf8(*command.query) != *command.query) return Refusal{kUsage, "--query: it is not UTF-8"};
  for (const auto& [option, name] : {std::pair("--key: it ", &command.key), std::pair("--session: it ", &command.session)})
    if (const auto unfit = unfit_for_a_name(*name); !unfit.empty()) return Refusal{kUsage, option + std::string(unfit)};
  return std::nullopt;
}

Asked<Json> body_of(const AgentsRun& command) {
  if (auto refused = unusable(command)) return std::unexpected(std::move(*refused));
  Json body = Json::object();
  if (command.query) body["query"] = *command.query;
  if (!command.params.empty()) {
    auto params = params_of(command.params);
    if (!params) return params;
    body["params"] = std::move(*params);
  }
  if (!command.key.empty()) body["key"] = command.key;
  if (!command.session.empty()) body["session_id"] = command.session;
  if (command.wait) body["wait"] = kWaitSeconds;
  return body;
}

// The final answer alone: a text as it is, anything else as JSON.
int print_answer(const Json& run, const Output& to) {
  if (run.value("status", "") != "completed") {
    to.err << "agentd: run " << text(run, "run_id") << " " << text(run, "status") << ": " << plain_text(text(run, "error")) << '\n';
    return kFailed;
  }
  const auto answer = text(run, "result");
  to.out << (to.terminal.is_terminal ? plain_text(answer, "\n\t", "") : answer) << '\n';
  return kDone;
}

// Its error, its result, or why there is neither.
std::string what_came_of(const Json& run) {
  for (const auto* member : {"error", "result", "reason"})
    if (!run.value(member, Json()).is_null()) return text(run, member);
  return "-";
}

// Why there is no run of it, where the host has no agent of this name that could have one.
std::optional<Refusal> no_such_agent(const RunsList& command) {
  if (!command.status.empty()) {
    const auto any = get_list(command.connection, target("/v1/runs", {{"agent", command.agent}}), "runs", 1);
    if (!any || !any->value("runs", Json::array()).empty()) return std::nullopt;
  }
  const auto agent = get(command.connection, "/v1/agents/" + percent_encode(command.agent));
  return agent || agent.error().exit_code != kFailed ? std::nullopt : std::optional(agent.error());
}

void print_steps(const Json& steps, const Output& to) {
  Table table({"step", "kind", "what", "outcome", "duration", "detail"});
  for (const auto& step : steps) {
    const auto took = text(step, "duration_ms");
    table.row({text(step, "step"), text(step, "kind"), text(step, "name"), text(step, "outcome"), took == "-" ? took : took + " ms", text(step, "detail")});
  }
  to.out << table.text(to.terminal);
}

}  // namespace

int perform(const AgentsRun& command, const Output& to) {
  const auto body = body_of(command);
  if (!body) return tell(body.error(), to);
  const auto asked = post(command.connection, "/v1/agents/" + percent_encode(command.agent) + "/runs", *body, kWaitTimeout);
  if (!asked) return tell(asked.error(), to);
  if (!command.wait) {
    command.connection.json ? print_json(*asked, to) : void(to.out << text(*asked, "run_id") << '\n');
    return kDone;
  }
  const auto run = end_of(command.connection, text(*asked, "run_id"), asked->value("run", Json::object()), to);
  if (!run) return tell(run.error(), to);
  if (!command.connection.json) return print_answer(*run, to);
  print_json(*run, to);
  return run->value("status", "") == "completed" ? kDone : kFailed;
}

int perform(const RunsList& command, const Output& to) {
  const auto answer = get_list(command.connection, target("/v1/runs", {{"agent", command.agent}, {"status", command.status}}), "runs", command.limit);
  if (!answer) return tell(answer.error(), to);
  if (!command.agent.empty() && answer->value("runs", Json::array()).empty())
    if (const auto refused = no_such_agent(command)) return tell(*refused, to);
  if (command.connection.json) return print_json(*answer, to), kDone;
  Table table({{"run", Cut::never}, {"agent", Cut::never}, "status", "trigger", "steps", "queued", "finished", "result"});
  for (const auto& run : answer->value("runs", Json::array())) {
    table.row({text(run, "run_id"), text(run, "agent_id"), text(run, "status"), text(run, "trigger"), text(run, "steps"), to.terminal.moment(text(run, "queued_at")),
               to.terminal.moment(text(run, "finished_at")), what_came_of(run)});
  }
  to.out << table.text(to.terminal);
  return kDone;
}

int perform(const RunsShow& command, const Output& to) {
  const auto path = "/v1/runs/" + percent_encode(command.run);
  auto run = get(command.connection, path);
  if (!run) return tell(run.error(), to);
  Json steps;
  if (command.steps) {
    const auto answer = get_list(command.connection, path + "/steps", "steps");
    if (!answer) return tell(answer.error(), to);
    steps = answer->value("steps", Json::array());
  }
  if (command.connection.json) {
    if (command.steps) (*run)["step_list"] = steps;
    return print_json(*run, to), kDone;
  }
  Table table({{"key", Cut::never}, {"value", Cut::never}});
  for (const auto& [key, value] : run->items()) table.row({key, text(*run, key)});
  to.out << table.text(to.terminal);
  if (command.steps) print_steps(steps, to);
  return kDone;
}

int perform(const RunsCancel& command, const Output& to) {
  if (to_utf8(command.reason) != command.reason) return tell(Refusal{kUsage, "--reason: it is not UTF-8"}, to);
  Json body = Json::object();
  if (!command.reason.empty()) body["reason"] = command.reason;
  const auto run = post(command.connection, "/v1/runs/" + percent_encode(command.run) + "/cancel", body, kWaitTimeout);
  if (!run) return tell(run.error(), to);
  if (command.connection.json) return print_json(*run, to), kDone;
  Table table({{"run", Cut::never}, "status"});
  table.row({text(*run, "run_id"), is_over(*run) ? text(*run, "status") : "stopping"});
  to.out << table.text(to.terminal);
  return kDone;
}

int perform(const RunsForget& command, const Output& to) {
  const auto forgotten = del(command.connection, "/v1/runs/" + percent_encode(command.run), kWaitTimeout);
  if (!forgotten) return tell(forgotten.error(), to);
  if (command.connection.json) print_json(*forgotten, to);
  return kDone;
}

int perform(const RunsRetry& command, const Output& to) {
  const auto asked = post(command.connection, "/v1/runs/" + percent_encode(command.run) + "/retry", Json::object(), kWaitTimeout);
  if (!asked) return tell(asked.error(), to);
  command.connection.json ? print_json(*asked, to) : void(to.out << text(*asked, "run_id") << '\n');
  return kDone;
}

}  // namespace agentd::cli
