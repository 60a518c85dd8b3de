// Settings whose schema only a plugin knows: what is wrong with them is told at its place, like everything else.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/manifest/problem.hpp"

namespace agentd::manifest {

struct Tree;

struct SettingFault {
  std::string pointer;                                 // JSON pointer into the settings; "": all of them
  std::string words;                                   // "expected array, got string"
  std::optional<std::vector<std::string>> known = {};  // the pointer's last name is no key that anybody knows: these are
};

// `path` leads to the table of settings in `tree`; where it does not, the problem has no place.
Problem problem_of(const SettingFault& fault, const Tree& tree, std::span<const std::string> path);

}  // namespace agentd::manifest
