// Reading files that people name.
#pragma once
#include <cstddef>
#include <string>

#include "core/base/result.hpp"

namespace agentd {

// The whole of a regular file. More than max_bytes, anything that is no regular file (a pipe would hold us up), what the kernel tells
// in /proc and /sys (as the environment of this process) and every failure of the disk are errors that name the path. Blocks; any
// thread.
Result<std::string> read_regular_file(const std::string& path, std::size_t max_bytes);

}  // namespace agentd
