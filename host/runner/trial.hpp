// Making instances of a plugin in order to see whether they keep their promises. For a process that has nothing to lose: the plugin's code
// runs here.
#pragma once
#include <filesystem>
#include <functional>
#include <string>

namespace agentd::runner {

// The settings, their references resolved, are in `folder`/settings.json; what instances keep goes into `folder` too. Tells one JSON object
// when something is begun and one when it has ended:
//   {"component": "memory notes", "check": "lists the newest first"}
//   {"component": "memory notes", "check": "lists the newest first", "unmet": null, or what was expected and what came}
// A file that cannot be loaded: {"error": reason}.
void hold_to_promises(const std::filesystem::path& file, const std::filesystem::path& folder, const std::function<void(const std::string& line)>& tell);

}  // namespace agentd::runner
