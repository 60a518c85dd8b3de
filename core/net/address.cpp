#include "core/net/address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace agentd::net {
namespace {

struct Block4 {
  std::uint32_t base;
  int bits;
};
constexpr std::uint32_t ip(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) { return a << 24 | b << 16 | c << 8 | d; }

// https://www.iana.org/assignments/iana-ipv4-special-registry and the multicast and reserved ranges.
constexpr std::array kRefused4 = {
    Block4{ip(0, 0, 0, 0), 8},       Block4{ip(10, 0, 0, 0), 8},      Block4{ip(100, 64, 0, 0), 10},  Block4{ip(127, 0, 0, 0), 8},
    Block4{ip(169, 254, 0, 0), 16},  Block4{ip(172, 16, 0, 0), 12},   Block4{ip(192, 0, 0, 0), 24},   Block4{ip(192, 0, 2, 0), 24},
    Block4{ip(192, 88, 99, 0), 24},  Block4{ip(192, 168, 0, 0), 16},  Block4{ip(198, 18, 0, 0), 15},  Block4{ip(198, 51, 100, 0), 24},
    Block4{ip(203, 0, 113, 0), 24},  Block4{ip(224, 0, 0, 0), 4},     Block4{ip(240, 0, 0, 0), 4},
};

bool is_public4(std::uint32_t address) {
  return std::ranges::none_of(kRefused4, [&](const Block4& block) { return (address ^ block.base) >> (32 - block.bits) == 0; });
}

struct Block6 {
  std::array<unsigned char, 4> base;
  int bits;
};
// Inside 2000::/3, all that is global unicast; https://www.iana.org/assignments/iana-ipv6-special-registry
constexpr std::array kRefused6 = {
    Block6{{0x20, 0x01, 0x00, 0x00}, 23},  // protocol assignments, Teredo and ORCHID among them
    Block6{{0x20, 0x01, 0x0d, 0xb8}, 32},  // documentation
    Block6{{0x20, 0x02, 0x00, 0x00}, 16},  // 6to4
    Block6{{0x3f, 0xff, 0x00, 0x00}, 20},  // documentation
};

bool is_public6(const in6_addr& address) {
  if ((address.s6_addr[0] & 0xe0) != 0x20) return false;
  const auto first = [](const unsigned char* b) { return ip(b[0], b[1], b[2], b[3]); };
  return std::ranges::none_of(kRefused6, [&](const Block6& block) { return (first(address.s6_addr) ^ first(block.base.data())) >> (32 - block.bits) == 0; });
}

}  // namespace

bool is_public(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in four;
    std::memcpy(&four, address, sizeof four);
    return is_public4(ntohl(four.sin_addr.s_addr));
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 six;
    std::memcpy(&six, address, sizeof six);
    return is_public6(six.sin6_addr);
  }
  return false;
}

bool is_public(std::string_view text) {
  const std::string terminated(text.substr(0, text.find('%')));
  in_addr four;
  if (inet_pton(AF_INET, terminated.c_str(), &four) == 1) return is_public4(ntohl(four.s_addr));
  in6_addr six;
  return inet_pton(AF_INET6, terminated.c_str(), &six) == 1 && is_public6(six);
}

std::string to_text(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address->sa_family == AF_INET) {
    sockaddr_in four;
    std::memcpy(&four, address, sizeof four);
    inet_ntop(AF_INET, &four.sin_addr, text, sizeof text);
  } else if (address->sa_family == AF_INET6) {
    sockaddr_in6 six;
    std::memcpy(&six, address, sizeof six);
    inet_ntop(AF_INET6, &six.sin6_addr, text, sizeof text);
  }
  return *text ? text : "an address of an unknown family";
}

}  // namespace agentd::net
