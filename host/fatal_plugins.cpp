#include "host/fatal_plugins.hpp"

#include <cstring>
#include <nlohmann/json.hpp>

#include "core/plugin/catalog.hpp"
#include "host/ports.hpp"
#include "host/runner/inspect.hpp"
#include "host/runner/load.hpp"

namespace agentd::host {

std::vector<manifest::Problem> fatal_plugins(const Setup& setup, int signal) {
  const auto load = [](const std::filesystem::path& file, const std::string& digest) { return runner::load_in_runner("/proc/self/exe", file, digest); };
  plugin::Catalog catalog({.folders = setup.plugin_folders, .sha256 = digests(setup.loaded.config), .load = load});
  catalog.scan();
  std::vector<manifest::Problem> found;
  for (const auto& library : catalog.libraries()) {
    const auto seen = runner::inspect_in_runner("/proc/self/exe", library->file);
    const auto inspected = seen ? nlohmann::json::parse(*seen, nullptr, false) : nlohmann::json();
    const auto components = inspected.is_object() ? inspected.value("components", nlohmann::json::array()) : nlohmann::json::array();
    for (const auto& component : components) {
      const auto why = component.value("tools_unknown", std::string());
      if (why.find("crashes") != std::string::npos) found.push_back({library->file.string(), 0, 0, component.value("name", std::string()) + ": " + why});
    }
  }
  if (found.empty()) found.push_back({"", 0, 0, std::string("a plugin ended the process (") + strsignal(signal) + "); agentd plugins inspect FILE looks at one alone"});
  return found;
}

}  // namespace agentd::host
