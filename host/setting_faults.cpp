#include "host/setting_faults.hpp"

#include <nlohmann/json.hpp>

#include "core/tool/schema.hpp"

namespace agentd::host {
namespace {

using nlohmann::json;
using Faults = std::vector<manifest::SettingFault>;

// Takes the keys out that no schema on the way knows, so that a validator need not tell of them.
void take_unknown_keys(json& settings, const json& schema, const json::json_pointer& place, Faults& faults) {
  if (!settings.is_object() || !schema.is_object()) return;
  const auto properties = schema.value("properties", json::object());
  const bool is_closed =
      schema.value("additionalProperties", json()) == false && !schema.contains("patternProperties") && properties.is_object();
  for (auto at = settings.begin(); at != settings.end();) {
    const auto own = place / at.key();
    if (properties.contains(at.key()))
      take_unknown_keys(*at, properties[at.key()], own, faults);
    else if (is_closed) {
      std::vector<std::string> known;
      for (const auto& [name, property] : properties.items()) known.push_back(name);
      faults.push_back({own.to_string(), "", std::move(known)});
      at = settings.erase(at);
      continue;
    }
    ++at;
  }
}

}  // namespace

Faults setting_faults(std::string_view schema, std::string_view settings) {
  const auto compiled = tool::Schema::compile(schema);
  if (!compiled) return {{"", "the plugin's settings schema cannot be used: " + compiled.error().message}};
  auto value = tool::parse_strict(settings);
  if (!value) return {{"", value.error().message}};
  Faults faults;
  take_unknown_keys(*value, json::parse(schema, nullptr, false), json::json_pointer(), faults);
  for (auto& misfit : compiled->misfits(*value)) faults.push_back({std::move(misfit.pointer), std::move(misfit.words)});
  return faults;
}

}  // namespace agentd::host
