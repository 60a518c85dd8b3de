// Errors as application/problem+json (RFC 9457).
#pragma once
#include <string>
#include <vector>

#include "host/api/message.hpp"

namespace agentd::api {

struct InputError {
  std::string pointer;  // RFC 6901, into the body
  std::string detail;
  int line = 0, column = 0;  // from 1, where the body is TOML and it has a place; the pointer is empty then
};

Document problem(int status, std::string_view detail, const std::vector<InputError>& errors = {});

// Of a member of the body: "/a~1b".
std::string pointer_to(std::string_view member);

// The standard's reason: "Not Found".
std::string_view reason(int status);

}  // namespace agentd::api
