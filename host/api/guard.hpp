// Who may talk to an API that listens on loopback: a browser on this machine can be made to send anything anywhere.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace agentd::api {

struct Address {
  std::string host;  // without brackets, in small letters
  std::string port;
};
Result<Address> parse_address(std::string_view text);  // "127.0.0.1:8765", "localhost:0", "[::1]:8765"

bool is_loopback(std::string_view host);  // of an Address: "localhost", 127.0.0.0/8, "::1"

// What is wrong with a request's Host and Origin; nothing when they are this machine's.
std::optional<std::string> foreign(std::string_view host, std::string_view origin);

}  // namespace agentd::api
