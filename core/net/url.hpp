// What of a URL the client must know before libcurl reads it. Pure.
#pragma once
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace agentd::net {

// Views into the URL they were taken from.
struct Origin {
  bool tls = false;
  std::string_view authority;  // "example.com:8080", "[::1]"
  std::string_view host;       // "example.com", "::1"
  std::string_view port;       // "" when the URL names none
  bool is_name = false;        // false: an address, nothing to look up
};

// http and https only; no credentials, no spaces or control characters, no backslash.
Result<Origin> origin(std::string_view url);

bool same_origin(const Origin& a, const Origin& b);

}  // namespace agentd::net
