// What only the host knows about a manifest: which tools, tasks, providers and stores there are.
#pragma once
#include <map>
#include <string>
#include <utility>

#include "core/manifest/checks.hpp"
#include "host/ports.hpp"

namespace agentd::host {

// The engine thread only. Narrowing a toolset takes the toolset's own word, which comes later: the first reading of the manifests collects
// what is to be narrowed, settle() asks, and a second reading has the answers.
class Judge {
 public:
  explicit Judge(const Ports& ports) : ports_(ports) {}
  manifest::Checks checks();
  bool has_questions() const;
  Async<void> settle();

 private:
  using Narrowing = std::pair<std::string, std::string>;  // instance, settings
  Result<const port::Toolset*> usable_toolset(const std::string& name) const;
  Result<std::string> tool_pattern(const std::string& pattern) const;
  Result<void> tool(const std::string& full_name) const;
  Result<void> webhook(const manifest::WebhookTrigger& on) const;
  std::vector<manifest::SettingFault> toolset(const std::string& instance, const std::string& settings);
  std::vector<manifest::SettingFault> faults(const Narrowing& narrowing, const std::string& refusal) const;

  const Ports& ports_;
  std::map<Narrowing, std::optional<std::vector<manifest::SettingFault>>> narrowings_;
};

// "fs" of "fs.read_file", "mcp.github" of "mcp.github.create_issue".
std::string toolset_of(std::string_view full_name);

}  // namespace agentd::host
