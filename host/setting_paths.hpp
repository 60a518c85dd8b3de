// Relative paths in settings are relative to the file that names them. Only a component's schema knows which texts are paths: those
// marked "format": "path".
#pragma once
#include <filesystem>
#include <string>
#include <string_view>

namespace agentd::host {

// settings with each such text made absolute; what does not fit the schema is left as it is, for the validator to refuse.
std::string with_absolute_paths(std::string_view settings, std::string_view schema, const std::filesystem::path& folder);

}  // namespace agentd::host
