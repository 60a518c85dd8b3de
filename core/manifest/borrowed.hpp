#pragma once
#include <string_view>

#include "core/manifest/environment.hpp"
#include "core/manifest/tree.hpp"

namespace agentd::manifest {

// What people have set for other programs, as the lowest layer of configuration. `higher` is what the layers above say: a choice made
// there is not second-guessed here. `notes` names what is set and not used.
Tree borrowed_settings(const Environment& environment, const Tree& higher, const std::string& working_folder, std::vector<Problem>& problems,
                       std::vector<std::string>& notes);

// The variable whose presence makes [providers.NAME]; empty where none does.
std::string_view usual_key_of(std::string_view provider);

}  // namespace agentd::manifest
