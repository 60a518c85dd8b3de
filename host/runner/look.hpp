// Making a toolset in order to see its tools. For a process that has nothing to lose: the plugin's code runs here.
#pragma once
#include <chrono>
#include <filesystem>
#include <string>

namespace agentd::runner {

// What each toolset of the plugin publishes when it is made with the settings {}, as one JSON object by component name:
//   {"geometry": {"tools": [{"name", "summary", "effect", "reconciles", "schema"}]}, "tickets": {"unknown": why there is no list}}
// The instances get no network and no metrics; what they keep goes into `folder`. Waits for at most `patience` per toolset.
std::string look_at_tools(const std::filesystem::path& file, const std::filesystem::path& folder, std::chrono::milliseconds patience);

}  // namespace agentd::runner
