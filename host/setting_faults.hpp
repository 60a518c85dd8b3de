// What a component's schema says is wrong with settings.
#pragma once
#include <string_view>
#include <vector>

#include "core/manifest/setting_faults.hpp"

namespace agentd::host {

// Nothing: they fit.
std::vector<manifest::SettingFault> setting_faults(std::string_view schema, std::string_view settings);

}  // namespace agentd::host
