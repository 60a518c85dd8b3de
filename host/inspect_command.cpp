// `agentd plugins inspect`: the file is mapped in the runner, never here.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <ostream>

#include "core/base/time.hpp"
#include "core/manifest/nearest.hpp"
#include "host/commands.hpp"
#include "host/runner/inspect.hpp"
#include "host/setup.hpp"

namespace agentd::host {
namespace {
using Json = nlohmann::ordered_json;

std::string shown(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string text(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string words(const Json& list) {
  std::string all;
  for (const auto& word : list) all += (all.empty() ? "" : "|") + shown(word);
  return all;
}

// "integer 1..10", "m|ft", "string"
std::string type_of(const Json& schema) {
  if (schema.contains("enum")) return words(schema["enum"]);
  std::string type = schema.contains("type") ? (schema["type"].is_array() ? words(schema["type"]) : shown(schema["type"])) : "any";
  if (type == "array" && schema.contains("items") && schema["items"].is_object()) type = "list of " + type_of(schema["items"]);
  const auto bound = [&schema](const char* key) { return schema.contains(key) ? shown(schema[key]) : std::string(); };
  if (const auto least = bound("minimum"), most = bound("maximum"); !(least + most).empty()) type += ' ' + least + ".." + most;
  if (text(schema, "format") == "path") type = "path";
  return schema.value("writeOnly", false) ? "secret" : type;
}

// A length of time has no type of its own in JSON Schema; its default gives it away.
bool is_duration(const Json& property) {
  const auto given = text(property, "default");
  return property.value("type", Json()) == Json({"string", "number"}) && !given.empty() && parse_duration(given);
}

bool is_required(const Json& schema, const std::string& name) {
  const auto required = schema.value("required", Json::array());
  return std::find(required.begin(), required.end(), name) != required.end();
}

// "offset: integer = 0", "glob?: string"
std::string described(const Json& schema, const std::string& name, const Json& property) {
  const bool has_default = property.contains("default");
  const char* const optional = has_default || is_required(schema, name) ? "" : "?";
  return name + optional + ": " + (is_duration(property) ? "duration" : type_of(property)) + (has_default ? " = " + property["default"].dump(-1, ' ', false, Json::error_handler_t::replace) : "");
}

template <class Visit>
void each_property(const Json& schema, Visit visit) {
  if (!schema.is_object() || !schema.contains("properties") || !schema["properties"].is_object()) return;
  for (const auto& [name, property] : schema["properties"].items())
    if (property.is_object()) visit(name, property);
}

std::string signature(const Json& tool) {
  const Json schema = tool.value("schema", Json::object());
  std::string parameters;
  each_property(schema, [&](const std::string& name, const Json& property) { parameters += (parameters.empty() ? "" : ", ") + described(schema, name, property); });
  return text(tool, "name") + "(" + parameters + ") " + text(tool, "effect") + (tool.value("reconciles", false) ? ", reconciles" : "") + ": " + text(tool, "summary");
}

void add_rows(cli::Table& table, const Json& component) {
  const auto summary = text(component, "summary");
  table.row({component.value("kind", component.value("interface_id", "component")), text(component, "name") + (summary.empty() ? "" : ": " + summary)});
  const Json settings = component.value("settings_schema", Json());
  each_property(settings, [&](const std::string& name, const Json& property) {
    table.row({"  setting", described(settings, name, property) + (is_required(settings, name) ? " (required)" : "")});
  });
  for (const auto& tool : component.value("tools", Json::array())) table.row({"  tool", signature(tool)});
  if (component.contains("tools_unknown")) table.row({"  tools", "not known: " + text(component, "tools_unknown")});
}

// The first of its name is the one that is loaded.
Result<std::filesystem::path> file_of(const cli::PluginsInspect& command) {
  std::error_code error;
  if (std::filesystem::is_regular_file(command.file, error)) return command.file;
  if (command.file.contains('/')) return fail("there is no file " + command.file);
  const auto setup = read_setup({});
  if (!setup) return std::unexpected(setup.error());
  std::vector<std::string> names;
  for (const auto& folder : setup->plugin_folders) {
    const auto file = folder / (command.file + ".so");
    if (std::filesystem::is_regular_file(file, error)) return file;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error))
      if (entry.path().extension() == ".so") names.push_back(entry.path().stem().string());
  }
  return fail("there is no file " + manifest::quote(command.file) + " here and no plugin of this name" + manifest::did_you_mean(command.file, names) + "; agentd plugins list names all");
}

}  // namespace

int perform(const cli::PluginsInspect& command, const cli::Output& to) {
  const auto file = file_of(command);
  if (!file) {
    to.err << "agentd: " << file.error().message << '\n';
    return cli::kUsage;
  }
  const auto descriptor = runner::inspect_in_runner("/proc/self/exe", *file);
  if (!descriptor) {
    to.err << "agentd: " << descriptor.error().message << '\n';
    return cli::kFailed;
  }
  const auto json = Json::parse(*descriptor, nullptr, false);
  if (command.json || !json.is_object()) {
    to.out << (json.is_object() ? json.dump(2, ' ', false, Json::error_handler_t::replace) : *descriptor) << '\n';
    return cli::kDone;
  }
  cli::Table table({{"key", cli::Cut::never}, {"value", cli::Cut::never}});
  for (const auto& [key, value] : json.items())
    if (key != "components") table.row({key, shown(value)});
  for (const auto& component : json.value("components", Json::array())) add_rows(table, component);
  to.out << table.text(to.terminal);
  return cli::kDone;
}

}  // namespace agentd::host
