#include "host/setting_paths.hpp"

#include <nlohmann/json.hpp>

namespace agentd::host {
namespace {

using Json = nlohmann::ordered_json;

void make_absolute(Json& value, const Json& schema, const std::filesystem::path& folder) {
  if (!schema.is_object()) return;
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    if (schema.value("format", Json()) == "path" && !text.empty()) value = (folder / text).lexically_normal().string();
  } else if (value.is_array() && schema.contains("items")) {
    for (auto& element : value) make_absolute(element, schema["items"], folder);
  } else if (value.is_object()) {
    const auto properties = schema.find("properties"), others = schema.find("additionalProperties");
    for (auto& [name, member] : value.items()) {
      if (properties != schema.end() && properties->is_object() && properties->contains(name)) make_absolute(member, (*properties)[name], folder);
      else if (others != schema.end()) make_absolute(member, *others, folder);
    }
  }
}

}  // namespace

std::string with_absolute_paths(std::string_view settings, std::string_view schema, const std::filesystem::path& folder) {
  auto value = Json::parse(settings, nullptr, false);
  const auto described = Json::parse(schema, nullptr, false);
  if (value.is_discarded() || described.is_discarded()) return std::string(settings);
  make_absolute(value, described, folder);
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace agentd::host
