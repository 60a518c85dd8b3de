#include <algorithm>
#include <optional>

#include "core/manifest/environment.hpp"

namespace agentd::manifest {
namespace {

std::string_view trimmed(std::string_view s) {
  const auto first = s.find_first_not_of(" \t\r");
  return first == std::string_view::npos ? "" : s.substr(first, s.find_last_not_of(" \t\r") - first + 1);
}

bool is_variable(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && letter(name.front()) && std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

bool is_end(std::string_view rest) {
  rest = trimmed(rest);
  return rest.empty() || rest.front() == '#';
}

std::optional<std::string> unquoted(std::string_view text) {
  const char mark = text.front();
  std::string out;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == mark) return is_end(text.substr(i + 1)) ? std::optional(out) : std::nullopt;
    if (mark == '"' && text[i] == '\\' && i + 1 < text.size()) {
      const char c = text[++i];
      out += c == 'n' ? '\n' : c == 't' ? '\t' : c;
    } else {
      out += text[i];
    }
  }
  return std::nullopt;
}

std::optional<std::string> value_of(std::string_view text) {
  text = trimmed(text);
  if (!text.empty() && (text.front() == '"' || text.front() == '\'')) return unquoted(text);
  if (!text.empty() && text.front() == '#') return "";
  return std::string(trimmed(text.substr(0, text.find(" #"))));
}

}  // namespace

void add_env_file(std::string_view text, const std::string& file, Environment& environment, std::vector<Problem>& problems) {
  for (int line = 1; !text.empty(); ++line) {
    const auto end = text.find('\n');
    auto rest = trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (rest.empty() || rest.front() == '#') continue;
    if (rest.starts_with("export ")) rest = trimmed(rest.substr(7));
    const auto equals = rest.find('=');
    const auto name = trimmed(rest.substr(0, equals));
    if (equals == std::string_view::npos || !is_variable(name)) {
      problems.push_back({file, line, 1, "not NAME=VALUE"});  // the line itself may be a secret
    } else if (auto value = value_of(rest.substr(equals + 1))) {
      environment.emplace(name, std::move(*value));
    } else {
      problems.push_back({file, line, 1, "the value of " + std::string(name) + " has no closing quote, or text after it"});
    }
  }
}

}  // namespace agentd::manifest
