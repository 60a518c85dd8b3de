// Tables, brought up to date by whoever comes first.
#pragma once
#include <span>

#include "connection.hpp"

namespace agentd::postgres {

// The steps that made a component's tables what they are, oldest first; a step that was released never changes. The schema's version is
// how many of them were taken.
struct Migrations {
  const char* component;
  std::span<const char* const> steps;
};

// Makes the schema where it is not there and takes the steps that are missing, each in a transaction, under an advisory lock, so that
// replicas may start at once. Throws PgError, and sdk::Error where a newer agentd took more steps than are known here.
void bring_up_to_date(Connection& connection, const std::string& schema, const Migrations& migrations);

// How many steps were taken; 0: there are no tables. Changes nothing.
std::int64_t version_of(Connection& connection, const std::string& schema, const Migrations& migrations);
[[noreturn]] void refuse_newer(const std::string& schema, const Migrations& migrations, std::int64_t found);

}  // namespace agentd::postgres
