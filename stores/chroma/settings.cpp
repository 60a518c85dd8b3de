#include "settings.hpp"

#include "stores/http/address.hpp"

namespace agentd::chroma {
namespace {

constexpr int64_t kPort = 8000;

// Names that Chroma takes, and that a path takes as they are.
void check_name(const char* setting, const std::string& name) {
  constexpr auto kEnds = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  constexpr auto kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  const auto is_end = [&](char c) { return std::string_view(kEnds).find(c) != std::string_view::npos; };
  if (name.size() < 3 || name.size() > 200 || name.find_first_not_of(kLetters) != std::string::npos || !is_end(name.front()) || !is_end(name.back()))
    throw sdk::Error(std::string(setting) + ": 3 to 200 letters, digits, - and _, a letter or digit at both ends");
}

void check(const Settings& settings) {
  using namespace std::chrono_literals;
  if (!settings.url.empty() && !stores::is_http_url(settings.url)) throw sdk::Error("url: must begin with https:// or http://");
  if (!settings.url.empty() && (settings.host || settings.port)) throw sdk::Error("url says where the server is, and so do host and port; give one or the others");
  if (settings.port && (*settings.port < 1 || *settings.port > 65535)) throw sdk::Error("port: 1 to 65535");
  check_name("tenant", settings.tenant);
  check_name("database", settings.database);
  check_name("collection", settings.collection);
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
  return {{"x-chroma-token", std::string(settings.api_key.reveal())}};
}

}  // namespace agentd::chroma
