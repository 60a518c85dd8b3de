// What the engine needs of a native task instance.
#pragma once
#include "core/port/tool.hpp"

namespace agentd::port {

struct TaskRun {
  std::string call_id;
  std::string agent_id;
  std::string run_id;
  std::string params;  // JSON object
  std::string state;   // JSON, "null" at first
  Millis timeout{0};
};

// The engine thread only.
class Task {
 public:
  virtual ~Task() = default;
  // ok: {"result"?, "proceed"?, "params"?, "state"?}
  virtual Async<Outcome> run(TaskRun run, std::stop_token stop) = 0;
};

}  // namespace agentd::port
