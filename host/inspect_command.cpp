// `agentd plugins inspect`: the file is mapped in the runner, never here.
#include <filesystem>
#include <nlohmann/json.hpp>
#include <ostream>

#include "host/commands.hpp"
#include "host/runner/inspect.hpp"

namespace agentd::host {
namespace {
using Json = nlohmann::ordered_json;

std::string shown(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

int perform(const cli::PluginsInspect& command, const cli::Output& to) {
  const auto descriptor = runner::inspect_in_runner("/proc/self/exe", command.file);
  if (!descriptor) {
    to.err << "agentd: " << descriptor.error().message << '\n';
    return cli::kFailed;
  }
  const auto json = Json::parse(*descriptor, nullptr, false);
  if (command.json || !json.is_object()) {
    to.out << (json.is_object() ? json.dump(2, ' ', false, Json::error_handler_t::replace) : *descriptor) << '\n';
    return cli::kDone;
  }
  cli::Table table({"key", "value"});
  for (const auto& [key, value] : json.items())
    if (key != "components") table.row({key, shown(value)});
  for (const auto& component : json.value("components", Json::array()))
    table.row({component.value("kind", component.value("interface_id", "component")), component.value("name", "") + ": " + component.value("summary", "")});
  to.out << table.text(to.terminal);
  return cli::kDone;
}

}  // namespace agentd::host
