// The folder of everything that must last. Looked at alone: no lock is taken and no file made.
#pragma once
#include <sys/types.h>

#include <filesystem>

#include "host/doctor/finding.hpp"

namespace agentd::doctor {

// Why this process could not keep a host's state there, and what to do about it; none: it could.
Findings unusable_state(const std::filesystem::path& folder);

struct StateFolder {
  Findings findings;
  bool is_usable = true;
  pid_t holder = 0;  // that has a file of it locked; 0: none
};
StateFolder look_at_state(const std::filesystem::path& folder);

}  // namespace agentd::doctor
