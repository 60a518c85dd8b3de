#include "rules.hpp"

#include <algorithm>

namespace http_plugin {
namespace {

using agentd::sdk::Error;

constexpr std::size_t kMaxHeaders = 20, kMaxHeaderBytes = 8 << 10;

bool is_host_char(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_'; }
bool begins_with(std::string_view text, std::string_view start) { return text.substr(0, start.size()) == start; }
bool ends_with(std::string_view text, std::string_view end) { return text.size() >= end.size() && text.substr(text.size() - end.size()) == end; }

}  // namespace

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  return out;
}

bool contains(const std::vector<std::string>& list, std::string_view item) { return std::find(list.begin(), list.end(), item) != list.end(); }

std::string host_of(std::string_view url) {
  const std::string start = lower(url.substr(0, 8));
  const std::size_t scheme = begins_with(start, "http://") ? 7 : start == "https://" ? 8 : 0;
  if (scheme == 0) throw Error("the URL must begin with http:// or https://");
  const auto authority = url.substr(scheme, url.find_first_of("/?#", scheme) - scheme);
  if (authority.find('@') != authority.npos) throw Error("a URL with a user name or password is refused");
  if (begins_with(authority, "[")) {
    const auto close = authority.find(']');
    if (close == authority.npos || authority.substr(1, close - 1).find_first_not_of("0123456789abcdefABCDEF:.") != authority.npos) throw Error("the URL's host is not an address");
    return lower(authority.substr(0, close + 1));
  }
  std::string host = lower(authority.substr(0, authority.find(':')));
  if (host.empty() || !std::all_of(host.begin(), host.end(), is_host_char)) throw Error("the URL's host holds something other than letters, digits, dots and dashes");
  while (!host.empty() && host.back() == '.') host.pop_back();
  return host;
}

bool is_allowed_host(std::string_view host, const std::vector<std::string>& patterns) {
  return patterns.empty() || std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    const std::string wanted = lower(pattern);
    return begins_with(wanted, "*.") ? ends_with(host, std::string_view(wanted).substr(1)) : host == wanted;
  });
}

void check_host_pattern(std::string_view pattern) {
  const std::string name = lower(begins_with(pattern, "*.") ? pattern.substr(2) : pattern);
  const bool address = begins_with(name, "[") && ends_with(name, "]");
  if (name.empty() || (!address && !std::all_of(name.begin(), name.end(), is_host_char)))
    throw Error("\"" + std::string(pattern) + "\" is not a host: write \"example.com\", or \"*.example.com\" for those below it");
}

agentd::sdk::HttpHeaders checked_headers(const std::map<std::string, std::string>& asked, const std::vector<std::string>& allowed) {
  agentd::sdk::HttpHeaders out;
  std::size_t bytes = 0;
  for (const auto& [name, value] : asked) {
    if (!contains(allowed, lower(name))) {
      std::string names;
      for (const auto& one : allowed) (names += names.empty() ? "" : ", ") += one;
      throw Error("the header \"" + agentd::sdk::valid_utf8(name) + "\" may not be set here; allowed are: " + names);
    }
    bytes += name.size() + value.size();
    out.emplace_back(name, value);
  }
  if (out.size() > kMaxHeaders || bytes > kMaxHeaderBytes) throw Error("too many headers: at most 20, of 8 KiB together");
  return out;
}

}  // namespace http_plugin
