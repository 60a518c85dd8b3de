#include "filter.hpp"

#include <algorithm>

namespace agentd::webhook {

bool fits(std::string_view pattern, std::string_view text) {
  const auto star = pattern.find('*');
  if (star == pattern.npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, star))) return false;
  text.remove_prefix(star);
  pattern.remove_prefix(star);
  while (true) {  // pattern begins with a star: each part at the first place that it has is as good as any
    pattern.remove_prefix(1);
    const auto next = pattern.find('*');
    const auto part = pattern.substr(0, next);
    if (next == pattern.npos) return text.ends_with(part);
    const auto at = text.find(part);
    if (at == text.npos) return false;
    text.remove_prefix(at + part.size());
    pattern.remove_prefix(next);
  }
}

bool fits(const std::vector<std::string>& patterns, std::string_view text) {
  return patterns.empty() || std::ranges::any_of(patterns, [text](const std::string& pattern) { return fits(pattern, text); });
}

}  // namespace agentd::webhook
