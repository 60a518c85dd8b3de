// `agentd plugins list`: files are mapped in the runner, never here.
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>

#include "core/plugin/catalog.hpp"
#include "host/cli/ask.hpp"
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

// What a host that is there says of each file that it has loaded otherwise than it is now; nothing where none is.
std::map<std::string, std::string> outdated_in(const cli::Connection& connection) {
  constexpr Millis kSoon{2'000};
  std::map<std::string, std::string> files;
  const auto http = cli::connect(connection);
  const auto reply = http ? http->exchange("GET", "/v1/plugins", "", kSoon) : Result<cli::Reply>(fail(""));
  const auto answer = reply && reply->status == 200 ? Json::parse(reply->body, nullptr, false) : Json();
  if (!answer.is_object()) return files;
  for (const auto& plugin : answer.value("plugins", Json::array()))
    if (const auto why = cli::text(plugin, "needs_restart"); why != "-") files[cli::text(plugin, "file")] = why;
  return files;
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
  auto outdated = outdated_in(command.connection);
  for (const auto& library : catalog.libraries()) {
    if (command.broken) break;
    const auto changed = outdated.extract(library->file.string());
    table.row({library->name, library->version, changed ? "needs a restart" : "loaded", components_of(*library) + (changed ? "; the running host has another: " + changed.mapped() : ""), library->file.string()});
    list.push_back({{"name", library->name},
                    {"version", library->version},
                    {"state", "loaded"},
                    {"needs_restart", changed ? Json(changed.mapped()) : Json()},
                    {"offers", components_of(*library)},
                    {"file", library->file.string()},
                    {"reason", nullptr}});
  }
  for (const auto& broken : catalog.broken()) {
    table.row({broken.name, "-", "broken", broken.reason, broken.file.string()});
    list.push_back({{"name", broken.name},
                    {"version", nullptr},
                    {"state", "broken"},
                    {"needs_restart", nullptr},
                    {"offers", nullptr},
                    {"file", broken.file.string()},
                    {"reason", broken.reason}});
  }
  for (const auto& [file, why] : outdated) {  // of broken ones, and of those that are gone
    const auto name = std::filesystem::path(file).stem().string();
    table.row({name, "-", "needs a restart", "the running host has it: " + why, file});
    list.push_back({{"name", name}, {"version", nullptr}, {"state", "outdated"}, {"needs_restart", why}, {"offers", nullptr}, {"file", file}, {"reason", why}});
  }
  to.out << (command.connection.json ? list.dump(2, ' ', false, Json::error_handler_t::replace) + "\n" : table.text(to.terminal));
  return cli::kDone;
}

}  // namespace agentd::host
