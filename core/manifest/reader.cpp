#include "core/manifest/reader.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace agentd::manifest {
namespace fs = std::filesystem;
namespace {
constexpr std::uintmax_t kMaxFileBytes = 1 << 20;
}

Result<std::string> read_text_file(const std::string& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return fail("cannot read " + path + ": " + (error ? error.message() : "not a regular file"));
  if (fs::file_size(path, error) > kMaxFileBytes) return fail(path + " is larger than 1 MiB");
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail("cannot read " + path + ": " + std::strerror(errno));
  std::string text((std::istreambuf_iterator<char>(in)), {});
  if (in.bad()) return fail("cannot read " + path);
  return text;
}

void Reader::wrong_type(const Tree& value, std::string_view key, std::string_view wanted) {
  if (std::holds_alternative<std::monostate>(value.value)) return;
  problem(value.place, "\"" + std::string(key) + "\" must be " + std::string(wanted) + ", not " + kind_of(value));
}

std::string resolve_path(const Place& place, const std::string& path) {
  const fs::path base = place.source ? place.source->folder : "";
  auto whole = (base / path).lexically_normal();
  if (!whole.has_filename() && whole.has_relative_path()) whole = whole.parent_path();
  return whole.string();
}

}  // namespace agentd::manifest
