#include <ostream>

#include "host/cli/ask.hpp"

namespace agentd::cli {
namespace {
using Json = nlohmann::ordered_json;
}  // namespace

int perform(const AlertsList& command, const Output& to) {
  const auto answer = get_list(command.connection, "/v1/alerts", "alerts");
  if (!answer) return tell(answer.error(), to);
  if (command.connection.json) return print_json(*answer, to), kDone;
  Table table({{"since", Cut::never}, "severity", "rule", "of", "summary"});
  for (const auto& alert : answer->value("alerts", Json::array())) {
    const auto agent = text(alert, "agent_id"), subject = text(alert, "subject");
    table.row({text(alert, "since"), text(alert, "severity"), text(alert, "rule"), agent.empty() ? subject : subject.empty() ? agent : agent + " " + subject, text(alert, "summary")});
  }
  to.out << table.text(to.terminal);
  return kDone;
}

}  // namespace agentd::cli
