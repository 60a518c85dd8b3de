#include <unistd.h>

#include <ostream>
#include <sstream>
#include <thread>

#include "core/base/json_text.hpp"
#include "core/base/plain_text.hpp"
#include "host/cli/ask.hpp"
#include "host/cli/shape.hpp"

namespace agentd::cli {
namespace {
using Json = nlohmann::ordered_json;

constexpr Millis kChangeTimeout{30'000};

void print_members(const Json& object, const Output& to) {
  Table table({{"key", Cut::never}, {"value", Cut::never}});
  for (const auto& [key, value] : object.items()) table.row({key, text(object, key)});
  to.out << table.text(to.terminal);
}

std::string schedule_of(const Json& agent) {
  const auto interval = text(agent, "interval");
  return interval != "-" ? "every " + interval : text(agent, "cron");
}

void print_agents(const Json& agents, const Output& to) {
  Table table({{"agent", Cut::never}, "state", "runs", "errors", "queued", "schedule", "last run", "next run", "last error"});
  for (const auto& agent : agents) {
    table.row({text(agent, "agent_id"), text(agent, "state"), text(agent, "run_count"), text(agent, "error_count"), text(agent, "queue_depth"),
               schedule_of(agent), to.terminal.moment(text(agent, "last_run")), to.terminal.moment(text(agent, "next_run")), text(agent, "last_error")});
  }
  to.out << table.text(to.terminal);
}

// Manifests that are not in force: of an agent that is there, its last good revision is.
void print_refused(const Json& status, const Output& to) {
  const auto refused = status.value("refused_agents", Json::array());
  for (const auto& each : refused) {
    to.err << to.terminal.paint("refused: " + plain_text(text(each, "agent_id"), ""), Colour::red) << " (" << plain_text(text(each, "origin"), "") << ")\n";
    for (const auto& problem : each.value("problems", Json::array())) to.err << "  " << plain_text(problem.is_string() ? problem.get<std::string>() : problem.dump()) << '\n';
  }
  const auto all = status.value("total_refused_agents", refused.size());
  if (all > refused.size()) to.err << "and " << all - refused.size() << " more\n";
}

std::string joined(const Json& names) {
  std::string all;
  for (const auto& name : names) (all += all.empty() ? "" : " ") += name.is_string() ? name.get<std::string>() : name.dump();
  return all.empty() ? "-" : all;
}

// Where they share a ledger.
void print_replicas(const Json& replicas, const Output& to) {
  Table table({"replica", "process", "version", "started", "lease age", "clock ahead", "does for all"});
  for (const auto& replica : replicas) {
    if (!replica.contains("id")) return;
    table.row({text(replica, "host") + (replica.value("is_this", false) ? " (this)" : ""), text(replica, "process"), text(replica, "version"), to.terminal.moment(text(replica, "started_at")),
               text(replica, "lease_age") + " s", text(replica, "clock_ahead") + " s", joined(replica.value("leases", Json::array()))});
  }
  to.out << table.text(to.terminal);
}

int show_agent(const Connection& connection, const std::string& agent, const Output& to) {
  const auto answer = get(connection, "/v1/agents/" + percent_encode(agent));
  if (!answer) return tell(answer.error(), to);
  connection.json ? print_json(*answer, to) : print_members(*answer, to);
  return kDone;
}

}  // namespace

int perform(const Completion& command, const Output& to) { return to.out << completion_script(command_shape(), command.shell), kDone; }
int perform(const Manual&, const Output& to) { return to.out << manual_page(command_shape()), kDone; }

namespace {

constexpr Millis kBetweenLooks{2'000};

int show(const Status& command, const Output& to) {
  if (!command.agent.empty()) return show_agent(command.connection, command.agent, to);
  const auto answer = get_list(command.connection, "/v1/status", "agents");
  if (!answer) return tell(answer.error(), to);
  if (command.connection.json) return print_json(*answer, to), kDone;
  to.out << text(*answer, "total_agents") << (text(*answer, "total_agents") == "1" ? " agent, " : " agents, ") << text(*answer, "running_agents") << " running, " << text(*answer, "paused_agents")
         << " paused, " << text(*answer, "queue_depth") << (text(*answer, "queue_depth") == "1" ? " run queued, up " : " runs queued, up ") << text(*answer, "uptime") << " s\n";
  print_agents(answer->value("agents", Json::array()), to);
  print_refused(*answer, to);
  print_replicas(answer->value("replicas", Json::array()), to);
  for (const auto& replica : answer->value("replicas", Json::array()))
    if (replica.value("draining", false)) to.err << "agentd: this host is stopping: it takes no more runs\n";
  return kDone;
}

// On a terminal each look takes the place of the one before, drawn whole so that nothing flickers. A host that is away may come back.
int watch(const Status& command, Output to) {
  while (true) {
    std::ostringstream seen, wrong;
    if (to.terminal.is_terminal) to.terminal = Terminal::of(STDOUT_FILENO);
    const int code = show(command, {seen, wrong, to.terminal});
    if (code == kUsage || code == kRefused) return to.err << wrong.str(), code;
    to.out << (to.terminal.is_terminal ? "\x1b[H\x1b[2J" : "") << seen.str() << wrong.str() << std::flush;
    if (!to.out) return kDone;
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

}  // namespace

int perform(const Status& command, const Output& to) { return command.watch ? watch(command, to) : show(command, to); }

int perform(const AgentsList& command, const Output& to) {
  const auto answer = get_list(command.connection, "/v1/agents", "agents");
  if (!answer) return tell(answer.error(), to);
  command.connection.json ? print_json(*answer, to) : print_agents(answer->value("agents", Json::array()), to);
  return kDone;
}

int perform(const AgentsMode& command, const Output& to) {
  Json body = Json::object();
  for (const auto& [member, value] : {std::pair("reason", &command.reason), std::pair("by", &command.by)}) {
    if (to_utf8(*value) != *value) return tell(Refusal{kUsage, std::string(member) + ": it is not UTF-8"}, to);
    if (!value->empty()) body[member] = *value;
  }
  const auto answer = post(command.connection, "/v1/agents/" + percent_encode(command.agent) + '/' + command.verb, body, kChangeTimeout);
  if (!answer) return tell(answer.error(), to);
  command.connection.json ? print_json(*answer, to) : print_agents(Json::array({*answer}), to);
  return kDone;
}

int perform(const AgentsShow& command, const Output& to) { return show_agent(command.connection, command.agent, to); }

}  // namespace agentd::cli
