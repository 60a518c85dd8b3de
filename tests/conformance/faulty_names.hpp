// A machine that dies at the nth change of a file's name, or before a folder's names are on its disk. In the place of what the C library
// has of these, so that a plugin in this process stands on it without knowing.
#pragma once
#include <filesystem>

#include "tests/conformance/faulty_vfs.hpp"

namespace agentd::conformance {

// Counts renames, links and syncs from now on, and dies when the fault's turn comes. Names changed and not synced are back as they were
// after a power loss; torn: the latest of them came through alone. `replaced` is where what a rename replaces is kept meanwhile.
void arm_names(Fault fault, std::filesystem::path replaced);
int name_operations();  // since arm_names

}  // namespace agentd::conformance
