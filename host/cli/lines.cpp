#include "host/cli/lines.hpp"

namespace agentd::cli {

bool take_lines(std::string& text, const std::function<bool(std::string_view)>& on_line) {
  std::size_t begin = 0;
  for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    std::string_view line = std::string_view(text).substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    begin = end + 1;
    if (!on_line(line)) return false;
  }
  text.erase(0, begin);
  return true;
}

}  // namespace agentd::cli
