// The host services by id. Private to the room.
#pragma once
#include <string_view>

#include "core/plugin/instance.hpp"

namespace agentd::plugin {

// ops, work and log: those that keep nothing. NULL: none of them.
const void* plain_service(std::string_view id);

// What a plugin answers is believed only after a look: one JSON value with ok, text for people otherwise.
Ended read_result(const Instance& instance, const agentd_result* result);

// Those that keep something for an instance, as far as the host has what they need.
HostServices make_host_services(Instance& instance);

}  // namespace agentd::plugin
