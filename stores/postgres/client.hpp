// The server as memory and events see it: there, or coming back.
#pragma once
#include <agentd/sdk/host.hpp>

#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "link.hpp"
#include "migrations.hpp"
#include "settings.hpp"

namespace agentd::postgres {

enum class Again { yes, no };

// Bodies run one at a time. When the connection is lost an operation goes on trying until its timeout. One that came to nothing lets those
// after it fail at once, until the server is back.
class Client {
 public:
  // Makes the tables, or what is missing of them, and then asks what `look` wants to know, once. A server that is away is told in the log,
  // and both are done when it is there.
  Client(const Settings& settings, const sdk::Host& host, const Migrations& migrations, std::function<void(Connection&)> look = {});

  // work(Connection&), which sends and syncs. Again::yes: what may be done twice; else a lost answer is an sdk::Error of unknown outcome.
  // A server that stays away is a retryable one. All name the server, and none has a secret in it.
  template <class F>
  auto with(F&& work, Again again = Again::yes) -> decltype(work(std::declval<Connection&>())) {
    const auto until = Clock::now() + timeout_;
    for (;;) {
      bool is_asked = false;
      try {
        auto& connection = ready(until);
        is_asked = true;
        return work(connection);
      } catch (const PgError& e) {
        if (!is_worth_a_try(e)) throw refused(e);
        if (e.lost() && is_asked && again == Again::no) throw sdk::Error(name_ + ": " + e.what() + ", and whether it did what it was asked is not known", sdk::Failure::unknown_outcome);
        rest(e, until);
      }
    }
  }
  const std::string& name() const { return name_; }  // PostgreSQL at HOST:PORT
  const std::string& schema() const { return schema_; }

 private:
  using Clock = std::chrono::steady_clock;
  Connection& ready(Clock::time_point until);
  static bool is_worth_a_try(const PgError& error);
  sdk::Error refused(const PgError& error) const;
  void rest(const PgError& why, Clock::time_point until);

  const sdk::Host host_;
  const std::string name_;
  const std::string schema_;
  const std::chrono::milliseconds timeout_;
  const Migrations& migrations_;
  const std::function<void(Connection&)> look_;
  Link link_;
  bool has_tables_ = false;
  bool is_away_ = false;   // and that was told
  bool given_up_ = false;  // an operation ended without it
};

// PostgreSQL at HOST:PORT, of a connection string that libpq takes.
std::string server_name(const std::string& url);

}  // namespace agentd::postgres
