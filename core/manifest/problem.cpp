#include "core/manifest/problem.hpp"

#include <algorithm>
#include <tuple>

#include "core/base/plain_text.hpp"

namespace agentd::manifest {
namespace {

// Nothing that a file is named or holds steers a terminal.
std::string printable(std::string_view bytes, std::string_view kept) { return plain_text(bytes, kept, "\xef\xbf\xbd"); }  // U+FFFD

}  // namespace

std::string place_text(const Problem& p) {
  const auto file = printable(p.file, "");
  if (!p.pointer.empty()) return file + ":" + printable(p.pointer, "");
  return p.line > 0 ? file + ":" + std::to_string(p.line) + ":" + std::to_string(p.column) : file;
}

std::string to_text(const Problem& p) { return (p.file.empty() ? "" : place_text(p) + ": ") + printable(p.message, "\n\t"); }

std::string quote(std::string_view word) { return "\"" + std::string(word) + "\""; }

void sort_problems(std::vector<Problem>& problems) {
  const auto key = [](const Problem& p) { return std::tie(p.file, p.line, p.column, p.pointer, p.message); };
  std::ranges::sort(problems, [&](const Problem& a, const Problem& b) { return key(a) < key(b); });
  const auto twice = std::ranges::unique(problems);
  problems.erase(twice.begin(), twice.end());
}

}  // namespace agentd::manifest
