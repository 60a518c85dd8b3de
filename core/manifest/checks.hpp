// What a manifest may say that only later rooms and the host can judge. An empty function judges nothing.
#pragma once
#include <functional>
#include <string>

#include "core/base/result.hpp"
#include "core/manifest/agent_spec.hpp"
#include "core/manifest/setting_faults.hpp"

namespace agentd::manifest {

using Check = std::function<Result<void>(const std::string&)>;

struct Checks {
  Check cron;             // an expression
  Check folder;           // of a trigger on files: what is wrong with it now is a note, since it may come
  Check zone;             // a time zone's name
  Check provider;         // an entry of [providers.*] works; that it exists is known here
  Check store;            // the same of [stores.*], as a memory
  Check sink;             // an entry of [sinks.*] works; that it exists is known here
  Check native_task;      // a task component
  std::function<Result<void>(const WebhookTrigger&)> webhook;  // that its secret can be had, and used so
  Check tool;             // a full name in task.require
  // A pattern of tools.allow, ask or deny. A text that is not empty is a note: tools that cannot be known yet.
  std::function<Result<std::string>(const std::string& pattern)> tool_pattern;
  // What is wrong with tools.toolsets.NAME, the settings that are to narrow it.
  std::function<std::vector<SettingFault>(const std::string& instance, const std::string& settings)> toolset;
  // JSON Schema of a toolset's settings, empty where nobody knows: it tells which texts in tools.toolsets.NAME are paths.
  std::function<std::string(const std::string& instance)> toolset_schema;
  Check json_schema;      // a schema's text
};

}  // namespace agentd::manifest
