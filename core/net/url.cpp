#include "core/net/url.hpp"

#include <algorithm>

namespace agentd::net {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
bool equal_ignoring_case(std::string_view a, std::string_view b) { return std::ranges::equal(a, b, {}, lower, lower); }

std::unexpected<Error> refuse(std::string_view url, std::string why) {
  const auto shown = url.substr(0, url.find('?')).substr(0, 200);  // a query may hold a secret
  return fail("the URL \"" + std::string(shown) + "\" " + std::move(why));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

Result<Origin> origin(std::string_view url) {
  const auto bad = [](unsigned char c) { return c <= ' ' || c == 0x7f || c == '\\'; };
  const auto scheme_end = url.find("://");
  if (scheme_end == url.npos) return refuse(url, "is not an absolute http or https URL");
  const auto scheme = url.substr(0, scheme_end);
  Origin found;
  found.tls = equal_ignoring_case(scheme, "https");
  if (!found.tls && !equal_ignoring_case(scheme, "http")) return refuse(url, "is neither http nor https");
  auto authority = url.substr(scheme_end + 3);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  if (authority.find('@') != authority.npos) return fail("a URL may not hold credentials: send them as a header");
  if (std::ranges::any_of(url, bad)) return refuse(url, "has a space, a control character or a backslash in it: percent-encode it");
  found.authority = authority;
  if (authority.starts_with('[')) {
    const auto close = authority.find(']');
    if (close == authority.npos) return refuse(url, "has a '[' without its ']'");
    found.host = authority.substr(1, close - 1);
    authority.remove_prefix(close + 1);
  } else {
    found.host = authority.substr(0, authority.find(':'));
    found.is_name = !std::ranges::all_of(found.host, [](char c) { return is_digit(c) || c == '.'; });
    authority.remove_prefix(found.host.size());
  }
  if (found.host.empty()) return refuse(url, "names no host");
  if (!authority.empty() && !authority.starts_with(':')) return refuse(url, "has something between its host and its path");
  if (!authority.empty()) found.port = authority.substr(1);
  if (found.port.size() > 5 || !std::ranges::all_of(found.port, is_digit)) return refuse(url, "has a port that is not a number");
  return found;
}

bool same_origin(const Origin& a, const Origin& b) {
  const auto port = [](const Origin& o) { return !o.port.empty() ? o.port : o.tls ? std::string_view("443") : std::string_view("80"); };
  return a.tls == b.tls && equal_ignoring_case(a.host, b.host) && port(a) == port(b);
}

}  // namespace agentd::net
