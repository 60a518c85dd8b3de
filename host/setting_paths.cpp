#include "host/setting_paths.hpp"

#include "core/manifest/setting_paths.hpp"

namespace agentd::host {

std::string with_absolute_paths(std::string_view settings, std::string_view schema, const std::filesystem::path& folder) {
  using manifest::Json;
  auto value = Json::parse(settings, nullptr, false);
  const auto described = Json::parse(schema, nullptr, false);
  if (value.is_discarded() || described.is_discarded()) return std::string(settings);
  const auto source = std::make_shared<const manifest::Source>(std::string(), folder.string());
  manifest::make_paths_absolute(value, manifest::from_json(value, {source, 0, 0}), described);
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace agentd::host
