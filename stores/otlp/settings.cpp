#include "settings.hpp"

#include "stores/http/address.hpp"

namespace agentd::otlp {

void check(const Settings& settings) {
  using namespace std::chrono_literals;
  if (!stores::is_http_url(settings.endpoint)) throw sdk::Error("endpoint: must begin with https:// or http://");
  if (settings.service_name.empty()) throw sdk::Error("service_name: is empty");
  if (settings.timeout.value < 100ms || settings.timeout.value > 9s) throw sdk::Error("timeout: \"100ms\" to \"9s\"");
}

std::string url_of(const Settings& settings) {
  return settings.endpoint + (settings.endpoint.ends_with('/') ? "v1/traces" : "/v1/traces");
}

}  // namespace agentd::otlp
