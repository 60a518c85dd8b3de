// Many stories at a time, so that what they write shares a commit.
#pragma once
#include <vector>

#include "core/base/async.hpp"

namespace agentd::host {

// Ends when all have. The engine thread only.
Async<void> together(std::vector<Async<void>> stories);

}  // namespace agentd::host
