// The server as a store sees it: there, or coming back.
#pragma once
#include <agentd/sdk/host.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "connection.hpp"

namespace agentd::redis {

enum class Again { yes, no };

// Any thread; each that asks at the same time has a connection of its own, which is kept for the next. When a connection is lost an
// operation goes on trying until its timeout. One that came to nothing lets those after it fail at once, with an attempt to connect ever more
// rarely, until the server is back.
class Client {
 public:
  // Connects once. A server that is away is told in the log, one that refuses us is an sdk::Error.
  Client(const Settings& settings, const sdk::Host& host);

  // Again::yes: what may be done twice; else a lost answer is an sdk::Error of unknown outcome. A server that stays away is a retryable one.
  // All name the server, and none has a secret in it.
  Reply ask(const Command& command, Again again = Again::yes);

  const std::string& name() const { return name_; }  // redis at HOST:PORT

 private:
  using Clock = std::chrono::steady_clock;
  std::unique_ptr<Connection> take(Deadline until);
  std::unique_ptr<Connection> connect(Deadline until);
  void give_back(std::unique_ptr<Connection> connection);
  void check_patience();
  void came_back();
  void wait(const std::string& why, Deadline until);
  void tell(const std::string& doubts);
  sdk::Error away(const std::string& why, std::chrono::milliseconds pause) const;
  [[noreturn]] void fail(const sdk::Error& error) const;
  std::string clean(std::string text) const;

  const sdk::Host host_;
  const Server server_;
  const std::string name_;
  const std::chrono::milliseconds connect_timeout_, timeout_;
  const std::unique_ptr<const TlsContext> tls_;

  std::mutex mutex_;
  std::vector<std::unique_ptr<Connection>> idle_;  // the latest used last
  std::chrono::milliseconds pause_{0};             // before the next attempt
  std::optional<std::string> trouble_;             // why it is away
  bool given_up_ = false;                          // an operation ended without it
  Clock::time_point next_try_{};
  std::string told_;
};

}  // namespace agentd::redis
