#include "core/manifest/problem.hpp"

#include <algorithm>
#include <tuple>

namespace agentd::manifest {

std::string place_text(const Problem& p) { return p.line > 0 ? p.file + ":" + std::to_string(p.line) + ":" + std::to_string(p.column) : p.file; }

std::string to_text(const Problem& p) { return (p.file.empty() ? "" : place_text(p) + ": ") + p.message; }

std::string quote(std::string_view word) { return "\"" + std::string(word) + "\""; }

void sort_problems(std::vector<Problem>& problems) {
  const auto key = [](const Problem& p) { return std::tie(p.file, p.line, p.column, p.message); };
  std::ranges::sort(problems, [&](const Problem& a, const Problem& b) { return key(a) < key(b); });
  const auto twice = std::ranges::unique(problems);
  problems.erase(twice.begin(), twice.end());
}

}  // namespace agentd::manifest
