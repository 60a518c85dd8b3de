// Looking into a plugin from outside.
#pragma once
#include <chrono>
#include <filesystem>
#include <string>

#include "core/base/result.hpp"

namespace agentd::runner {

// Runs `self_exe --runner inspect file` in a process group of its own and answers the descriptor as JSON. Whatever the file does, an
// exit, a crash or a hang, becomes the error; all of its process group is killed at the end. Each component that is a toolset has a member
// "tools", the list that it publishes when another such process makes it with the settings {}, or "tools_unknown", why there is none.
// Blocks, for at most the timeout each; any thread.
Result<std::string> inspect_in_runner(const std::filesystem::path& self_exe, const std::filesystem::path& file,
                                      std::chrono::milliseconds timeout = std::chrono::seconds(10));

// The descriptor alone: the toolsets are not made.
Result<std::string> descriptor_in_runner(const std::filesystem::path& self_exe, const std::filesystem::path& file,
                                         std::chrono::milliseconds timeout = std::chrono::seconds(10));

}  // namespace agentd::runner
