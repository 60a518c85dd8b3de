#include "migrations.hpp"

#include <agentd/sdk/error.hpp>

namespace agentd::postgres {
namespace {

constexpr Statement kLock{"SELECT pg_advisory_xact_lock(hashtextextended($1::text,7126))"};
constexpr Statement kIsThere{"SELECT 1 FROM pg_namespace n LEFT JOIN pg_class c ON c.relnamespace=n.oid AND c.relname='schema_versions' AND c.relkind='r' "
                             "WHERE n.nspname=$1::text AND ($2::int8=0 OR c.oid IS NOT NULL)"};
constexpr Statement kVersion{"SELECT version FROM schema_versions WHERE component=$1::text"};
constexpr Statement kPutVersion{"INSERT INTO schema_versions VALUES($1::text,$2::int8) ON CONFLICT(component) DO UPDATE SET version=excluded.version"};

constexpr std::chrono::minutes kPatienceOfAStep{10};  // one may have all rows to write again

bool is_there(Connection& connection, const std::string& schema, bool with_versions) { return !connection.ask(kIsThere, Parameters(schema, std::int64_t{with_versions})).empty(); }

}  // namespace

std::int64_t version_of(Connection& connection, const std::string& schema, const Migrations& migrations) {
  if (!is_there(connection, schema, true)) return 0;
  const auto found = connection.ask(kVersion, Parameters(std::string_view(migrations.component)));
  return found.empty() ? 0 : found.integer(0, 0);
}

void refuse_newer(const std::string& schema, const Migrations& migrations, std::int64_t found) {
  throw sdk::Error("the tables of the " + std::string(migrations.component) + " in the schema \"" + schema + "\" have version " + std::to_string(found) +
                   ", and this agentd knows up to " + std::to_string(migrations.steps.size()) + "; they were made by a newer agentd: use that one");
}

void bring_up_to_date(Connection& connection, const std::string& schema, const Migrations& migrations) {
  const auto newest = static_cast<std::int64_t>(migrations.steps.size());
  const auto found = version_of(connection, schema, migrations);
  if (found > newest) refuse_newer(schema, migrations, found);
  if (found == newest) return;
  Transaction transaction(connection);
  connection.ask(kLock, Parameters(schema));
  // A schema that somebody made for us needs no right to make one.
  if (!is_there(connection, schema, false)) {
    std::string name;
    for (const char c : schema) name += c == '"' ? std::string("\"\"") : std::string(1, c);
    connection.run("CREATE SCHEMA \"" + name + "\"");
  }
  if (!is_there(connection, schema, true)) connection.run("CREATE TABLE schema_versions(component text PRIMARY KEY, version bigint NOT NULL)");
  const auto now = version_of(connection, schema, migrations);
  if (now > newest) refuse_newer(schema, migrations, now);
  connection.run("SET LOCAL statement_timeout=0");
  for (auto step = now; step < newest; ++step) connection.run(migrations.steps[static_cast<std::size_t>(step)], kPatienceOfAStep);
  connection.send(kPutVersion, Parameters(std::string_view(migrations.component), newest));
  transaction.send_commit();
  connection.sync();
}

}  // namespace agentd::postgres
