#include "host/api/guard.hpp"

#include <boost/asio/ip/address.hpp>
#include <algorithm>
#include <charconv>

#include "host/api/head.hpp"

namespace agentd::api {
namespace {

bool is_port(std::string_view digits) {
  std::uint16_t port = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return !digits.empty() && read.ec == std::errc() && read.ptr == digits.data() + digits.size();
}

// "name:8765", "name", "[::1]:8765" or "[::1]", and nothing before, between or behind.
std::optional<Address> split(std::string_view authority) {
  const bool in_brackets = authority.starts_with('[');
  const auto end = in_brackets ? authority.find(']') : std::min(authority.find(':'), authority.size());
  if (end == std::string_view::npos) return std::nullopt;
  const auto host = in_brackets ? authority.substr(1, end - 1) : authority.substr(0, end);
  if (host.empty() || (in_brackets && (host.find_first_not_of("0123456789abcdefABCDEF:.") != host.npos || host.find(':') == host.npos))) return std::nullopt;
  auto rest = authority.substr(in_brackets ? end + 1 : end);
  if (rest.empty()) return Address{in_small_letters(host), {}};
  if (!rest.starts_with(':') || !is_port(rest.substr(1))) return std::nullopt;
  return Address{in_small_letters(host), std::string(rest.substr(1))};
}

}  // namespace

Result<Address> parse_address(std::string_view text) {
  auto address = split(text);
  if (!address || address->port.empty()) return fail("\"" + std::string(text) + "\" is not an address; write 127.0.0.1:8765 or [::1]:8765");
  return std::move(*address);
}

bool is_loopback(std::string_view host) {
  if (host == "localhost") return true;
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(std::string(host), error);
  return !error && address.is_loopback();
}

std::optional<std::string> foreign(std::string_view host, std::string_view origin, Hosts hosts) {
  if (host.empty()) return "a request needs a Host header";
  const auto address = split(host);
  if (!address) return "Host \"" + std::string(host) + "\" is not a name or an address";
  if (hosts == Hosts::this_machine && !is_loopback(address->host)) return "Host \"" + std::string(host) + "\" is not this machine; ask 127.0.0.1 or localhost";
  if (origin.empty()) return std::nullopt;
  const auto behind = [origin](std::string_view scheme) { return origin.starts_with(scheme) ? origin.substr(scheme.size()) : std::string_view(); };
  auto authority = behind("http://");
  if (authority.empty() && hosts == Hosts::any) authority = behind("https://");  // of this server's, or of a proxy in front of it
  if (in_small_letters(authority) != in_small_letters(host)) return "requests of pages from \"" + std::string(origin) + "\" are refused";
  return std::nullopt;
}

}  // namespace agentd::api
