// Whether a file may be mapped as code: who can write to it, and whether it is the file that was meant.
#pragma once
#include <filesystem>
#include <span>
#include <string>

#include "core/base/result.hpp"

namespace agentd::plugin {

// Refuses a file that somebody besides root and this process's user may write to, or put another in the place of: each folder above it
// is held to the same, up to the root. A group counts as somebody unless it is this process's own and lists no members. Above the file's
// own folder a sticky one such as /tmp will do: who may write to it cannot touch what others have there. The path has no links in it.
Result<void> check_writers(const std::filesystem::path& file);

// 64 lower-case hex digits.
std::string sha256(std::span<const std::byte> bytes);

}  // namespace agentd::plugin
