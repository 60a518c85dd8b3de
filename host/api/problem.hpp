// Errors as application/problem+json (RFC 9457).
#pragma once
#include <string>
#include <vector>

#include "host/api/message.hpp"

namespace agentd::api {

struct InputError {
  std::string pointer;  // RFC 6901, into the body
  std::string detail;
};

Document problem(int status, std::string_view detail, const std::vector<InputError>& errors = {});

// Of a member of the body: "/a~1b".
std::string pointer_to(std::string_view member);

// The standard's reason: "Not Found".
std::string_view reason(int status);

}  // namespace agentd::api
