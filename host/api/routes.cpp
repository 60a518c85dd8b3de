#include "host/api/routes.hpp"

#include <algorithm>

namespace agentd::api {
namespace {

std::optional<std::map<std::string, std::string, std::less<>>> fit(std::string_view pattern, const std::vector<std::string>& segments) {
  std::map<std::string, std::string, std::less<>> captured;
  std::size_t next = 0;
  pattern.remove_prefix(1);
  while (!pattern.empty()) {
    const auto part = pattern.substr(0, pattern.find('/'));
    pattern.remove_prefix(std::min(part.size() + 1, pattern.size()));
    if (next == segments.size()) return std::nullopt;
    const auto& segment = segments[next++];
    if (part.front() == '{') {
      if (segment.empty()) return std::nullopt;
      captured.emplace(part.substr(1, part.size() - 2), segment);
    } else if (part != segment) {
      return std::nullopt;
    }
  }
  if (next != segments.size()) return std::nullopt;
  return captured;
}

}  // namespace

std::variant<Match, NoSuchPath, NoSuchMethod> Routes::find(std::string_view method, const std::vector<std::string>& segments) const {
  const auto wanted = method == "HEAD" ? std::string_view("GET") : method;
  std::string allowed;
  for (const auto& route : routes_) {
    auto captured = fit(route.pattern, segments);
    if (!captured) continue;
    if (route.method == wanted) return Match{&route, std::move(*captured)};
    if (allowed.find(route.method) == std::string::npos) allowed += (allowed.empty() ? "" : ", ") + route.method;
  }
  if (allowed.empty()) return NoSuchPath{};
  return NoSuchMethod{std::move(allowed)};
}

}  // namespace agentd::api
