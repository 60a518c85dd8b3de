#include "core/manifest/reader.hpp"

#include <filesystem>

#include "core/base/file.hpp"

namespace agentd::manifest {
namespace fs = std::filesystem;
namespace {
constexpr std::size_t kMaxFileBytes = 1 << 20;
}

Result<std::string> read_text_file(const std::string& path) { return read_regular_file(path, kMaxFileBytes); }

void Reader::wrong_type(const Tree& value, std::string_view key, std::string_view wanted) {
  if (std::holds_alternative<std::monostate>(value.value)) return;
  problem(value.place, "\"" + std::string(key) + "\" must be " + std::string(wanted) + ", not " + kind_of(value));
}

std::string Reader::path(const Place& place, std::string_view key, const std::string& path) {
  if (place.source && place.source->is_sent && !path.starts_with('/'))
    problem(place, "\"" + std::string(key) + "\" must be an absolute path: a manifest that came through the API lies in no folder");
  return resolve_path(place, path);
}

std::string resolve_path(const Place& place, const std::string& path) {
  const fs::path base = place.source ? place.source->folder : "";
  auto whole = (base / path).lexically_normal();
  if (!whole.has_filename() && whole.has_relative_path()) whole = whole.parent_path();
  return whole.string();
}

}  // namespace agentd::manifest
