#pragma once
#include "core/manifest/environment.hpp"
#include "core/manifest/key.hpp"

namespace agentd::manifest {

// A text from outside as the tree that a key of this kind reads: "5" is a number for a whole number and text for a text. What does
// not fit stays text, so that the key's own message says what is wrong.
Tree typed(Kind kind, const std::string& text, const Place& place);

// AGENTD__SECTION__KEY=value over `known`, what the lower layers say: only to find the spelling of names that people chose. Keys are
// matched in lower case; unknown ones are left for the tables to refuse.
Tree environment_overrides(const Environment& environment, const TableKeys& keys, const Tree& known, const std::string& working_folder,
                           std::vector<Problem>& problems);

}  // namespace agentd::manifest
