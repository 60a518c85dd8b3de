// Where spans go.
#pragma once
#include <agentd/sdk/duration.hpp>
#include <agentd/sdk/types.hpp>

#include <map>
#include <string>

namespace agentd::otlp {

struct Settings {
  std::string endpoint = "http://127.0.0.1:4318";  // /v1/traces comes behind it
  std::map<std::string, std::string> headers;       // a key of whoever receives them; a reference
  std::string service_name = "agentd";
  sdk::Duration timeout{std::chrono::seconds(8)};
  AGENTD_FIELDS(endpoint, headers, service_name, timeout)
};

// Throws sdk::Error: which setting is wrong, and what would be right.
void check(const Settings& settings);

std::string url_of(const Settings& settings);

}  // namespace agentd::otlp
