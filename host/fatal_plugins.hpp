// Plugins that take a process down when one of their components is made.
#pragma once
#include <vector>

#include "host/setup.hpp"

namespace agentd::host {

// By name: each is made in a process of its own. Where none of them is to blame, what is known: the signal that ended a process which made all.
std::vector<manifest::Problem> fatal_plugins(const Setup& setup, int signal);

}  // namespace agentd::host
