// What went wrong between here and the server.
#pragma once
#include <stdexcept>
#include <string>

namespace agentd::postgres {

struct PgError : std::runtime_error {
  PgError(std::string sqlstate, const std::string& message) : std::runtime_error(message), state(std::move(sqlstate)) {}
  bool lost() const { return state.empty(); }                 // no answer came, and none will: the connection is closed
  bool disk_full() const { return state == "53100"; }
  bool damaged() const { return state == "XX001" || state == "XX002"; }
  std::string state;  // PostgreSQL's SQLSTATE
};

}  // namespace agentd::postgres
