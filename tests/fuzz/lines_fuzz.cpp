// An event stream as the command line reads it: in whatever pieces it comes, its lines are the same.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "host/cli/lines.hpp"

namespace {

std::vector<std::string> lines_of(std::string_view text, std::size_t at_once) {
  std::vector<std::string> lines;
  const auto keep = [&](std::string_view line) {
    lines.emplace_back(line);
    return true;
  };
  std::string kept;
  for (; !text.empty(); text.remove_prefix(std::min(at_once, text.size()))) {
    kept += text.substr(0, at_once);
    if (!agentd::cli::take_lines(kept, keep)) std::abort();
    if (kept.find('\n') != kept.npos) std::abort();
  }
  lines.push_back(kept);
  return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  if (lines_of(text, data[0] % 17 + 1) != lines_of(text, text.size() + 1)) std::abort();
  return 0;
}
