// A plugin as a library whose code is not mapped here: for looking at, not for making instances.
#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "core/plugin/library.hpp"

namespace agentd::runner {

// What can be known without running the file's code is checked first, as plugin::load does; then the runner maps it and describes it, in a
// process of its own: whatever the code does becomes the error. sha256: empty for any. Blocks; any thread.
Result<std::unique_ptr<plugin::Library>> load_in_runner(const std::filesystem::path& self_exe, const std::filesystem::path& file, const std::string& sha256);

}  // namespace agentd::runner
