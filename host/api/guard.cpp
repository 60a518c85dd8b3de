#include "host/api/guard.hpp"

#include <boost/asio/ip/address.hpp>
#include <charconv>

namespace agentd::api {
namespace {

// "name:8765", "name", "[::1]:8765", "[::1]"
std::string_view host_of(std::string_view authority) {
  if (authority.starts_with('[')) return authority.substr(1, authority.find(']') == std::string_view::npos ? 0 : authority.find(']') - 1);
  return authority.substr(0, authority.find(':'));
}

}  // namespace

Result<Address> parse_address(std::string_view text) {
  const auto colon = text.rfind(':');
  const auto expected = [&] { return fail("\"" + std::string(text) + "\" is not an address; write 127.0.0.1:8765 or [::1]:8765"); };
  if (colon == std::string_view::npos || colon + 1 == text.size()) return expected();
  const auto digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (read.ec != std::errc() || read.ptr != digits.data() + digits.size()) return expected();
  const auto host = host_of(text.substr(0, colon));
  if (host.empty()) return expected();
  return Address{std::string(host), std::string(digits)};
}

bool is_loopback(std::string_view host) {
  if (host == "localhost") return true;
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(std::string(host), error);
  return !error && address.is_loopback();
}

std::optional<std::string> foreign(std::string_view host, std::string_view origin) {
  if (host.empty()) return "a request needs a Host header";
  if (!is_loopback(host_of(host))) return "Host \"" + std::string(host) + "\" is not this machine; ask 127.0.0.1 or localhost";
  if (origin.empty()) return std::nullopt;
  const auto authority = origin.starts_with("http://") ? origin.substr(7) : std::string_view();
  if (authority != host) return "requests of pages from \"" + std::string(origin) + "\" are refused";
  return std::nullopt;
}

}  // namespace agentd::api
