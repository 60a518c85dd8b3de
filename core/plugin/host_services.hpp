// The host services by id. Private to the room.
#pragma once
#include <string_view>

#include "core/plugin/abi_text.hpp"
#include "core/plugin/instance.hpp"

namespace agentd::plugin {

// ops, work and log: those that keep nothing. NULL: none of them.
const void* plain_service(std::string_view id);

// What a plugin answers is believed only after a look: one JSON value with ok, text for people otherwise.
Ended read_result(const Instance& instance, const agentd_result* result);

// Those that keep something for an instance; NULL where the host does not have what they need.
std::unique_ptr<HostService> make_timer_service(Instance& instance);
std::unique_ptr<HostService> make_http_service(Instance& instance);
std::unique_ptr<HostService> make_io_service(Instance& instance);
std::unique_ptr<HostService> make_kv_service(Instance& instance);
std::unique_ptr<HostService> make_metrics_service(Instance& instance);
HostServices make_host_services(Instance& instance);  // in the order of Part

}  // namespace agentd::plugin
