#include "settings.hpp"

#include "stores/http/address.hpp"

namespace agentd::qdrant {
namespace {

constexpr int64_t kPort = 6333;

void check(const Settings& settings) {
  using namespace std::chrono_literals;
  constexpr auto kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  if (!settings.url.empty() && !stores::is_http_url(settings.url)) throw sdk::Error("url: must begin with https:// or http://");
  if (!settings.url.empty() && (settings.host || settings.port)) throw sdk::Error("url says where the server is, and so do host and port; give one or the others");
  if (settings.port && (*settings.port < 1 || *settings.port > 65535)) throw sdk::Error("port: 1 to 65535");
  if (settings.collection.empty() || settings.collection.size() > 200 || settings.collection.find_first_not_of(kLetters) != std::string::npos) throw sdk::Error("collection: 1 to 200 letters, digits, - and _");
  if (settings.timeout.value < 100ms || settings.timeout.value > 60s) throw sdk::Error("timeout: \"100ms\" to \"60s\"");
}

}  // namespace

std::string url_of(const Settings& settings) {
  check(settings);
  auto url = settings.url.empty() ? "http://" + settings.host.value_or("127.0.0.1") + ':' + std::to_string(settings.port.value_or(kPort)) : settings.url;
  while (url.ends_with('/')) url.pop_back();
  return url;
}

sdk::HttpHeaders headers_of(const Settings& settings) {
  if (settings.api_key.empty()) return {};
  return {{"api-key", std::string(settings.api_key.reveal())}};
}

}  // namespace agentd::qdrant
