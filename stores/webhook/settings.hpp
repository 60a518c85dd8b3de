// Where events go, and which.
#pragma once
#include <agentd/sdk/duration.hpp>
#include <agentd/sdk/types.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace agentd::webhook {

struct Settings {
  std::string url;
  sdk::Secret secret;  // of Standard Webhooks: "whsec_" and base64; without it nothing is signed
  sdk::Secret token;   // Authorization: Bearer TOKEN
  std::vector<std::string> types, agents;  // patterns with *; none: all
  sdk::Duration timeout{std::chrono::seconds(4)};  // one request
  int64_t parallel = 8;                            // requests at a time, each of another agent
  std::vector<int64_t> drop_statuses;              // after which an event is given up, and told in the log
  AGENTD_FIELDS(url, secret, token, types, agents, timeout, parallel, drop_statuses)
};

// Throws sdk::Error: which setting is wrong, and what would be right.
void check(const Settings& settings);

}  // namespace agentd::webhook
