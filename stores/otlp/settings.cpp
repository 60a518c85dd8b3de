#include "settings.hpp"

namespace agentd::otlp {

void check(const Settings& settings) {
  using namespace std::chrono_literals;
  if (!settings.endpoint.starts_with("https://") && !settings.endpoint.starts_with("http://")) throw sdk::Error("endpoint: must begin with https:// or http://");
  if (settings.service_name.empty()) throw sdk::Error("service_name: is empty");
  if (settings.timeout.value < 100ms || settings.timeout.value > 9s) throw sdk::Error("timeout: \"100ms\" to \"9s\"");
}

std::string origin_of(const Settings& settings) {
  const auto& url = settings.endpoint;
  const auto begin = url.find("://") + 3;
  auto authority = url.substr(begin, url.find_first_of("/?#", begin) - begin);
  if (const auto at = authority.rfind('@'); at != authority.npos) authority.erase(0, at + 1);
  return url.substr(0, begin) + authority;
}

std::string url_of(const Settings& settings) {
  return settings.endpoint + (settings.endpoint.ends_with('/') ? "v1/traces" : "/v1/traces");
}

}  // namespace agentd::otlp
