// `agentd plugins list`: files are mapped in the runner, never here.
#include <filesystem>
#include <nlohmann/json.hpp>
#include <ostream>

#include "core/plugin/catalog.hpp"
#include "host/commands.hpp"
#include "host/ports.hpp"
#include "host/runner/load.hpp"
#include "host/setup.hpp"

namespace agentd::host {
namespace {
using Json = nlohmann::ordered_json;

std::string components_of(const plugin::Library& library) {
  std::string list;
  for (const auto& component : library.components)
    list += (list.empty() ? "" : ", ") + std::string(plugin::name(component->kind)) + " " + component->name;
  return list;
}

}  // namespace

int perform(const cli::PluginsList& command, const cli::Output& to) {
  const auto setup = usable_setup(command.surroundings, to);
  if (!setup) return setup.error();
  const auto load = [](const std::filesystem::path& file, const std::string& digest) {
    return runner::load_in_runner("/proc/self/exe", file, digest);
  };
  plugin::Catalog catalog({.folders = setup->plugin_folders, .sha256 = digests(setup->loaded.config), .load = load});
  catalog.scan();
  Json list = Json::array();
  cli::Table table({{"plugin", cli::Cut::never}, "version", "state", {"offers", cli::Cut::never}, "file"});  // offers: also why not
  for (const auto& library : catalog.libraries()) {
    if (command.broken) break;
    table.row({library->name, library->version, "loaded", components_of(*library), library->file.string()});
    list.push_back({{"name", library->name},
                    {"version", library->version},
                    {"state", "loaded"},
                    {"offers", components_of(*library)},
                    {"file", library->file.string()},
                    {"reason", nullptr}});
  }
  for (const auto& broken : catalog.broken()) {
    table.row({broken.name, "-", "broken", broken.reason, broken.file.string()});
    list.push_back({{"name", broken.name},
                    {"version", nullptr},
                    {"state", "broken"},
                    {"offers", nullptr},
                    {"file", broken.file.string()},
                    {"reason", broken.reason}});
  }
  to.out << (command.json ? list.dump(2, ' ', false, Json::error_handler_t::replace) + "\n" : table.text(to.terminal));
  return cli::kDone;
}

}  // namespace agentd::host
