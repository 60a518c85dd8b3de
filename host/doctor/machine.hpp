// What the machine gives a host. Reads alone.
#pragma once
#include <filesystem>

#include "core/base/time.hpp"
#include "host/doctor/finding.hpp"

namespace agentd::doctor {

Finding open_files();  // and so how many clients
Finding clock(Instant now, const std::filesystem::path& state_dir);
Finding time_zones();

}  // namespace agentd::doctor
