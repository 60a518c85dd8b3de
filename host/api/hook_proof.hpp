// Whether a request to a webhook comes from who has its secret. Pure functions; comparisons take the same time wherever texts
// differ.
#pragma once
#include <string>
#include <string_view>

#include "core/manifest/agent_spec.hpp"
#include "host/api/message.hpp"

namespace agentd::api {

// What a delivery says of itself.
struct Delivery {
  std::string id;     // the sender's; empty: it has none
  std::string event;  // GitHub's name of what happened
};

inline constexpr std::chrono::seconds kHookWindow{300};  // how far a timestamp may be away, both ways: Standard Webhooks

// The error says what is wrong with the request, fit for its sender.
Result<Delivery> prove(manifest::WebhookVerify verify, std::string_view secret, const Request& request, Instant now);

// webhook-signature of what this side sends, as Standard Webhooks has it: "v1,..." over "ID.SECONDS.BODY". The secret fits.
std::string standard_signature(std::string_view secret, const std::string& id, std::int64_t unix_seconds, std::string_view body);

// Whether the secret can be used so: of Standard Webhooks it is "whsec_" and base64.
Result<void> fits(manifest::WebhookVerify verify, std::string_view secret);

}  // namespace agentd::api
