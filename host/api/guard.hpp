// Who may talk to the API: a browser can be made to send anything anywhere.
#pragma once
#include <cstdint>
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

// What a request's Host may say: where nobody has to show a token, only what a page cannot make its own name resolve to.
enum class Hosts : std::uint8_t { this_machine, any };

// What is wrong with a request's Host and Origin: another page's than this server's own.
std::optional<std::string> foreign(std::string_view host, std::string_view origin, Hosts hosts = Hosts::this_machine);

}  // namespace agentd::api
