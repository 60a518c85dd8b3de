// What somebody asks for with POST /v1/agents/{id}/runs.
#pragma once
#include <variant>

#include "core/event/record.hpp"
#include "host/api/message.hpp"

namespace agentd::api {

inline constexpr int kLongestWait = 60;  // seconds; ask again for longer

struct RunRequest {
  event::Entered entered;
  Millis wait{0};
};

// The body, the Idempotency-Key and the traceparent, or a problem that tells everything that is wrong with them at once.
std::variant<RunRequest, Document> read_run_request(const std::string& agent_id, const Request& request);

}  // namespace agentd::api
