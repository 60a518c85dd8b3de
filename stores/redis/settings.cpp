#include "settings.hpp"

#include <charconv>
#include <string_view>

namespace agentd::redis {
namespace {

constexpr std::string_view kForm = "url: must be redis://[USER[:PASSWORD]@]HOST[:PORT][/DB], or rediss:// for TLS";

template <class T>
T number(std::string_view text, T least, T most) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) throw sdk::Error(std::string(kForm));
  return value;
}

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned byte = 0;
    const auto digits = text.substr(i + 1, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (digits.size() != 2 || error != std::errc() || end != digits.data() + 2) throw sdk::Error(std::string(kForm));
    out += static_cast<char>(byte);
    i += 2;
  }
  return out;
}

std::string_view cut_front(std::string_view& text, std::string_view until) {
  const auto at = text.find(until);
  const auto front = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + until.size());
  return front;
}

void read_credentials(std::string_view text, Server& server) {
  server.username = decoded(cut_front(text, ":"));
  server.password = decoded(text);
}

void read_address(std::string_view text, Server& server) {
  if (text.starts_with('[')) {
    text.remove_prefix(1);
    server.host = cut_front(text, "]");
    if (!text.empty() && !text.starts_with(':')) throw sdk::Error(std::string(kForm));
    cut_front(text, ":");
  } else {
    server.host = cut_front(text, ":");
  }
  if (server.host.empty()) throw sdk::Error(std::string(kForm));
  if (!text.empty()) server.port = number(text, 1, 65535);
}

Server from_url(std::string_view url) {
  Server server;
  const auto scheme = cut_front(url, "://");
  server.tls = scheme == "rediss";
  if (scheme != "redis" && !server.tls) throw sdk::Error(std::string(kForm));
  auto authority = cut_front(url, "/");
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    read_credentials(authority.substr(0, at), server);
    authority.remove_prefix(at + 1);
  }
  read_address(authority, server);
  if (!url.empty()) server.db = number<int64_t>(url, 0, INT32_MAX);
  return server;
}

Server from_parts(const Settings& settings) {
  Server server;
  if (settings.host) server.host = *settings.host;
  if (server.host.empty()) throw sdk::Error("host: is empty");
  if (settings.port.value_or(1) < 1 || settings.port.value_or(1) > 65535) throw sdk::Error("port: 1 to 65535");
  if (settings.port) server.port = static_cast<int>(*settings.port);
  if (settings.db.value_or(0) < 0) throw sdk::Error("db: a database's number, from 0");
  server.db = settings.db.value_or(0);
  server.username = settings.username.value_or("");
  server.password = settings.password.reveal();
  server.tls = settings.tls.value_or(false);
  return server;
}

void check_bounds(const Settings& settings) {
  using namespace std::chrono_literals;
  if (settings.stream.empty()) throw sdk::Error("stream: is empty");
  if (settings.max_events < 1) throw sdk::Error("max_events: at least 1");
  if (settings.connect_timeout.value < 10ms || settings.connect_timeout.value > 60s) throw sdk::Error("connect_timeout: \"10ms\" to \"60s\"");
  if (settings.timeout.value < 100ms || settings.timeout.value > 60s) throw sdk::Error("timeout: \"100ms\" to \"60s\"");
  if (settings.cert_file.empty() != settings.key_file.empty()) throw sdk::Error("cert_file and key_file: one needs the other");
}

}  // namespace

std::string Server::name() const { return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(port); }

Server server_of(const Settings& settings) {
  check_bounds(settings);
  const bool has_parts = settings.host || settings.port || settings.db || settings.username || settings.tls || !settings.password.empty();
  if (!settings.url.empty() && has_parts) throw sdk::Error("url: stands instead of host, port, db, username, password and tls; give one or the others");
  auto server = settings.url.empty() ? from_parts(settings) : from_url(settings.url);
  if (!server.username.empty() && server.password.empty()) throw sdk::Error("username: needs a password");
  if (!server.tls && !(settings.ca_file.empty() && settings.cert_file.empty())) throw sdk::Error("ca_file, cert_file and key_file: are for TLS; set tls = true, or begin url with rediss://");
  return server;
}

}  // namespace agentd::redis
