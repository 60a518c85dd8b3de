#include "core/tool/policy.hpp"

#include <algorithm>

namespace agentd::tool {

bool matches(std::string_view pattern, std::string_view name) {
  std::size_t p = 0, n = 0, star = pattern.npos, resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p, ++n;
    } else if (star != pattern.npos) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

Verdict decide(const manifest::Tools& tools, std::string_view full_name) {
  const auto listed = [full_name](const std::vector<std::string>& patterns) {
    return std::ranges::any_of(patterns, [full_name](const std::string& pattern) { return matches(pattern, full_name); });
  };
  if (listed(tools.deny)) return Verdict::deny;
  if (listed(tools.ask)) return Verdict::ask;
  return listed(tools.allow) ? Verdict::allow : Verdict::deny;
}

}  // namespace agentd::tool
