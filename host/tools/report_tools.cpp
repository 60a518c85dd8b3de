#include "host/tools/report_tools.hpp"

namespace agentd::host {

port::ToolList ReportTools::tools() const {
  static const auto list = std::make_shared<const std::vector<port::ToolSpec>>(std::vector<port::ToolSpec>{
      {.name = "nothing_new",
       .summary = "Say that there is nothing to report, after looking with other tools: then nobody is told of this run.",
       .schema = R"({"type":"object","properties":{},"additionalProperties":false})",
       .effect = port::Effect::pure}});
  return list;
}

Async<Result<std::uint64_t>> ReportTools::bind(std::string) { co_return fail("the toolset \"report\" has no settings"); }

Async<port::Outcome> ReportTools::call(port::ToolCall, std::stop_token) {
  co_return port::Outcome{.value = R"({"noted":"it counts if another tool call has done its work before"})", .retry_after = {}};
}

Async<port::Outcome> ReportTools::reconcile(port::ToolCall) { co_return port::Outcome{.status = port::Status::retryable, .value = "it did nothing", .retry_after = {}}; }

}  // namespace agentd::host
