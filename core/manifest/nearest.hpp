#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace agentd::manifest {

// How many letters must be put in, left out, changed or swapped with their neighbour.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The name a person probably meant: at most a third of its letters away.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& names);

// `; did you mean "interval"?`, or nothing when no name is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& names);

}  // namespace agentd::manifest
