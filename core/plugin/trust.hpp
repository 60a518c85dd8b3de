// Whether a file may be mapped as code: who can write to it, and whether it is the file that was meant.
#pragma once
#include <filesystem>
#include <span>
#include <string>

#include "core/base/result.hpp"

namespace agentd::plugin {

// Refuses a file or folder that somebody besides root and this process's user may write to. A group counts as somebody unless it is
// this process's own and lists no members.
Result<void> check_writers(const std::filesystem::path& path);

// 64 lower-case hex digits.
std::string sha256(std::span<const std::byte> bytes);

}  // namespace agentd::plugin
