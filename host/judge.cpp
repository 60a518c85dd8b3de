#include "host/judge.hpp"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/manifest/nearest.hpp"
#include "core/schedule/schedule.hpp"
#include "core/tool/policy.hpp"
#include "core/tool/schema.hpp"
#include "host/api/hook_proof.hpp"
#include "host/setting_faults.hpp"

namespace agentd::host {
namespace {

template <class T>
Result<void> only_whether(const Result<T>& result) {
  if (!result) return std::unexpected(result.error());
  return {};
}

Result<void> is_folder(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (std::filesystem::is_directory(status)) return {};
  if (std::filesystem::exists(status)) return fail(path + " is no folder");
  return fail("there is no folder " + path + " now; it is watched for");
}

std::unexpected<Error> no_such_toolset(const std::string& name, const Ports::Named<port::Toolset>& toolsets) {
  std::vector<std::string> names;
  std::string listed;
  for (const auto& [known, toolset] : toolsets) {
    names.push_back(known);
    listed += (listed.empty() ? "" : ", ") + known;
  }
  return fail("there is no toolset \"" + name + "\"" + manifest::did_you_mean(name, names) + (listed.empty() ? "; no plugin offers any" : "; there are: " + listed));
}

bool any_match(const std::string& pattern, const std::string& toolset, const port::ToolList& tools) {
  for (const auto& tool : *tools)
    if (tool::matches(pattern, toolset + "." + tool.name)) return true;
  return false;
}

std::string names_in(const std::string& toolset, const port::ToolList& tools) {
  std::string listed;
  for (const auto& tool : *tools) listed += (listed.empty() ? "" : ", ") + toolset + "." + tool.name;
  return listed.empty() ? "none" : listed;
}

}  // namespace

std::string toolset_of(std::string_view full_name) {
  auto dot = full_name.find('.');
  if (full_name.starts_with("mcp.")) dot = full_name.find('.', dot + 1);
  return std::string(full_name.substr(0, dot));
}

manifest::Checks Judge::checks() {
  manifest::Checks checks;
  checks.cron = [](const std::string& expression) { return only_whether(schedule::parse_cron(expression)); };
  checks.zone = [](const std::string& name) { return only_whether(schedule::find_zone(name)); };
  checks.folder = is_folder;
  checks.provider = [this](const std::string& name) { return only_whether(ports_.endpoint(name)); };
  checks.store = [this](const std::string& name) { return ports_.store(name, plugin::Kind::memory); };
  checks.sink = [this](const std::string& name) { return only_whether(ports_.sink(name)); };
  checks.native_task = [this](const std::string& name) { return only_whether(ports_.task(name)); };
  checks.webhook = [this](const manifest::WebhookTrigger& on) { return webhook(on); };
  checks.tool = [this](const std::string& name) { return tool(name); };
  checks.tool_pattern = [this](const std::string& pattern) { return tool_pattern(pattern); };
  checks.toolset = [this](const std::string& instance, const std::string& settings) { return toolset(instance, settings); };
  checks.toolset_schema = [this](const std::string& instance) { return ports_.toolset_schema(instance); };
  checks.json_schema = [](const std::string& text) { return only_whether(tool::Schema::compile(text)); };
  return checks;
}

Result<void> Judge::webhook(const manifest::WebhookTrigger& on) const {
  const auto secret = ports_.secret(on.secret);
  if (!secret) return std::unexpected(secret.error());
  return api::fits(on.verify, *secret);
}

Result<const port::Toolset*> Judge::usable_toolset(const std::string& name) const {
  const auto found = ports_.toolsets().find(name);
  if (found == ports_.toolsets().end()) return no_such_toolset(name, ports_.toolsets());
  if (!found->second) return fail("toolset \"" + name + "\" cannot be used: " + ports_.why_not("toolsets", name, found->second.error()));
  return found->second->get();
}

// An exact name must be there; a pattern may wait for tools to come, but not for a toolset that nobody has heard of.
Result<std::string> Judge::tool_pattern(const std::string& pattern) const {
  for (const auto& [name, toolset] : ports_.toolsets())
    if (toolset && any_match(pattern, name, (*toolset)->tools())) return std::string();
  const auto name = toolset_of(pattern);
  const bool open = pattern.find('*') != std::string::npos;
  if (name.find('*') != std::string::npos) return "\"" + pattern + "\" fits no tool now";
  const auto found = usable_toolset(name);
  if (!found) return std::unexpected(found.error());
  if ((*found)->dynamic()) return "\"" + pattern + "\": the tools of \"" + name + "\" are known only when it has connected";
  if (open) return "\"" + pattern + "\" fits no tool now";
  return fail("there is no tool \"" + pattern + "\"; there are: " + names_in(name, (*found)->tools()));
}

Result<void> Judge::tool(const std::string& full_name) const { return only_whether(tool_pattern(full_name)); }

std::vector<manifest::SettingFault> Judge::toolset(const std::string& instance, const std::string& settings) {
  const auto usable = usable_toolset(instance);
  if (!usable) return {{"", usable.error().message}};
  const auto [place, fresh] = narrowings_.try_emplace(Narrowing(instance, settings));
  if (fresh || !place->second) return {};
  return *place->second;
}

// The toolset has the last word on what narrows it. Where its settings' schema knows why it said no, that is told at its place; what is
// missing there is not narrowed.
std::vector<manifest::SettingFault> Judge::faults(const Narrowing& narrowing, const std::string& refusal) const {
  auto schema = nlohmann::json::parse(ports_.toolset_schema(narrowing.first), nullptr, false);
  if (schema.is_object()) schema.erase("required");
  auto faults = schema.is_object() ? setting_faults(schema.dump(), narrowing.second) : std::vector<manifest::SettingFault>();
  if (faults.empty()) faults.push_back({"", refusal});
  for (auto& fault : faults) ports_.cleaner().clean(fault.words);
  return faults;
}

bool Judge::has_questions() const {
  return std::ranges::any_of(narrowings_, [](const auto& n) { return !n.second; });
}

Async<void> Judge::settle() {
  for (auto& [narrowing, answer] : narrowings_) {
    if (answer) continue;
    const auto found = ports_.toolsets().find(narrowing.first);
    auto binding = (*found->second)->bind(narrowing.second);
    const auto bound = co_await std::move(binding);
    answer = bound ? std::vector<manifest::SettingFault>() : faults(narrowing, bound.error().message);
  }
}

}  // namespace agentd::host
