#include "client.hpp"

#include <libpq-fe.h>

#include <memory>
#include <thread>

namespace agentd::postgres {
namespace {

constexpr std::chrono::milliseconds kPause{50};

const std::string& checked(const Settings& settings) {
  using namespace std::chrono_literals;
  refuse_bad_url(settings.url->reveal());
  if (settings.schema.empty() || settings.schema.size() > 40) throw sdk::Error("schema: a name of 1 to 40 letters is needed");
  if (settings.timeout.value < 100ms || settings.timeout.value > 9s) throw sdk::Error("timeout: \"100ms\" to \"9s\"");
  return settings.url->reveal();
}

}  // namespace

std::string server_name(const std::string& url) {
  struct Free {
    void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
  };
  const std::unique_ptr<PQconninfoOption, Free> options(PQconninfoParse(url.c_str(), nullptr));
  std::string host = "localhost", port = "5432";
  for (const auto* option = options.get(); option && option->keyword; ++option) {
    if (!option->val || !*option->val) continue;
    if (std::string_view(option->keyword) == "host") host = option->val;
    if (std::string_view(option->keyword) == "port") port = option->val;
  }
  return "PostgreSQL at " + host + ":" + port;
}

Client::Client(const Settings& settings, const sdk::Host& host, const Migrations& migrations, std::function<void(Connection&)> look)
    : host_(host), name_(server_name(checked(settings))), schema_(settings.schema), timeout_(settings.timeout), migrations_(migrations), look_(std::move(look)),
      link_({settings.url->reveal(), settings.schema}) {
  try {
    ready(Clock::now() + timeout_);
  } catch (const PgError& e) {
    if (!is_worth_a_try(e)) throw refused(e);
    is_away_ = true;
    host_.log(sdk::Level::warn, name_ + " cannot be used now: " + e.what() + "; it is tried again with each operation");
  }
}

Connection& Client::ready(Clock::time_point until) {
  auto& connection = link_.get();
  connection.be_patient_until(until);
  if (!has_tables_) {
    bring_up_to_date(connection, schema_, migrations_);
    if (look_) look_(connection);
    connection.be_patient_until(until);
    has_tables_ = true;
  }
  if (is_away_) host_.log(name_ + " is there again");
  is_away_ = given_up_ = false;
  return connection;
}

// A connection that is lost, a server that starts or is full, and whoever was in the way of somebody else.
bool Client::is_worth_a_try(const PgError& error) { return error.lost() || error.state.starts_with("57P") || error.state.starts_with("53") || error.state == "40001" || error.state == "40P01"; }

sdk::Error Client::refused(const PgError& error) const {
  const bool took_too_long = error.state == "57014" || error.state == "55P03";
  return sdk::Error(name_ + ": " + error.what(), took_too_long ? sdk::Failure::retryable : sdk::Failure::terminal);
}

void Client::rest(const PgError& why, Clock::time_point until) {
  if (!given_up_ && Clock::now() + kPause < until) return std::this_thread::sleep_for(kPause);
  const auto said = name_ + " cannot be used now: " + why.what();
  if (!is_away_) host_.log(sdk::Level::warn, said);
  is_away_ = given_up_ = true;
  throw sdk::Error(said, sdk::Failure::retryable);
}

}  // namespace agentd::postgres
