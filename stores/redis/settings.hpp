// Where the server is and what is kept there. One form for memory and events: an entry of [stores.*] may serve both.
#pragma once
#include <agentd/sdk/duration.hpp>
#include <agentd/sdk/types.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace agentd::redis {

struct Settings {
  std::string url;  // redis://[USER[:PASSWORD]@]HOST[:PORT][/DB], rediss:// with TLS: instead of the six that follow
  std::optional<std::string> host;
  std::optional<int64_t> port, db;
  std::optional<std::string> username;
  sdk::Secret password;
  std::optional<bool> tls;
  sdk::Path ca_file;              // who signed the server's certificate; without it, those that the system trusts
  sdk::Path cert_file, key_file;  // for a server that asks its clients for a certificate
  std::string prefix = "agentd:";  // of every key but the stream
  std::string stream = "background_agent_events";
  int64_t max_events = 100'000;
  sdk::Duration connect_timeout{std::chrono::seconds(2)};
  sdk::Duration timeout{std::chrono::seconds(5)};  // one operation, waiting for a server that restarts included
  AGENTD_FIELDS(url, host, port, db, username, password, tls, ca_file, cert_file, key_file, prefix, stream, max_events, connect_timeout, timeout)
};

struct Server {
  std::string host = "127.0.0.1";
  int port = 6379;
  int64_t db = 0;
  std::string username, password;
  bool tls = false;

  std::string name() const;  // for messages: host and port
};

// Throws sdk::Error: which setting is wrong, and what would be right. No message holds what a url holds.
Server server_of(const Settings& settings);

}  // namespace agentd::redis
