// The host's own toolset "report": what an agent says about its report.
#pragma once
#include "core/port/tool.hpp"

namespace agentd::host {

// nothing_new: [[deliver]] with when = "reported" tells nobody of the run. It counts only behind another call that did its work.
class ReportTools final : public port::Toolset {
 public:
  port::ToolList tools() const override;
  bool dynamic() const override { return false; }
  Async<Result<std::uint64_t>> bind(std::string settings_json) override;
  Async<port::Outcome> call(port::ToolCall call, std::stop_token stop) override;
  Async<port::Outcome> reconcile(port::ToolCall call) override;
};

}  // namespace agentd::host
