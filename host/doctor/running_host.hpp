// The host that should answer at the configured address.
#pragma once
#include <sys/types.h>

#include "core/base/async.hpp"
#include "core/manifest/host_config.hpp"
#include "host/api/access.hpp"
#include "host/doctor/finding.hpp"

namespace agentd::doctor {

struct Visitor {
  std::string token;  // of AGENTD_API_TOKEN, else one of the configuration's; empty: there is none
  std::string from;   // "AGENTD_API_TOKEN" or the token's name
};
// holder: the process that has the state folder; 0: none.
Async<Findings> ask_running_host(World world, const manifest::HostConfig& config, const api::Access& access, Visitor visitor, pid_t holder);

}  // namespace agentd::doctor
