// The folder of everything that must last. Looked at alone: no lock is taken and no file made.
#pragma once
#include <sys/types.h>

#include <filesystem>

#include "host/doctor/finding.hpp"

namespace agentd::doctor {

struct StateFolder {
  Findings findings;
  pid_t holder = 0;  // that has a file of it locked; 0: none
};
StateFolder look_at_state(const std::filesystem::path& folder);

// Whether this process could make files there, or the folder itself: where not, why.
Findings writable(const std::string& check, const std::filesystem::path& folder, const std::string& advice);

}  // namespace agentd::doctor
