// Looking into a plugin from outside.
#pragma once
#include <chrono>
#include <filesystem>
#include <string>

#include "core/base/result.hpp"

namespace agentd::runner {

// Runs `self_exe --runner inspect file` in a process group of its own and answers the descriptor as JSON. Whatever the file does, an
// exit, a crash or a hang, becomes the error; all of its process group is killed at the end. Blocks; any thread.
Result<std::string> inspect_in_runner(const std::filesystem::path& self_exe, const std::filesystem::path& file,
                                      std::chrono::milliseconds timeout = std::chrono::seconds(10));

}  // namespace agentd::runner
