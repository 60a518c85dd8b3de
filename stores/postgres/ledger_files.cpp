#include "ledger_files.hpp"

#include <agentd/sdk/plugin.hpp>

#include "ledger_check.hpp"
#include "ledger_schema.hpp"
#include "settings.hpp"

namespace agentd::postgres {
namespace {

void found(const agentd_ledger_ear& ear, const Finding& finding) { ear.found(ear.who, finding.position, finding.run, sdk::str(finding.text)); }

Settings read(agentd_str settings) {
  auto known = sdk::Type<Settings>::read(sdk::Json(sdk::view(settings)));
  refuse_bad_url(known.url->reveal());
  return known;
}

std::int32_t refuse_copy(agentd_str settings, const agentd_ledger_ear* ear) noexcept {
  try {
    found(*ear, {0, {}, use_pg_dump(read(settings).schema)});
  } catch (const std::exception& e) {
    found(*ear, {0, {}, e.what()});
  }
  return AGENTD_LEDGER_CORRUPT;
}

}  // namespace

std::string use_pg_dump(const std::string& schema) {
  return "a ledger on a PostgreSQL server is no file that could be copied: use pg_dump --schema=" + schema + " and pg_restore, or the server's own backups";
}

void check_files(agentd_str settings, const agentd_ledger_ear* ear) noexcept {
  try {
    const auto known = read(settings);
    Connection connection({known.url->reveal(), known.schema});
    const auto name = "the ledger in the schema \"" + known.schema + "\"";
    const auto version = version_of(connection, known.schema, kLedgerTables);
    if (version > static_cast<std::int64_t>(kLedgerTables.steps.size())) refuse_newer(known.schema, kLedgerTables, version);
    if (version == 0) return ear->told(ear->who, sdk::str(name + ": there is no ledger yet"));
    const auto seen = check_ledger(connection, [ear](const Finding& finding) { found(*ear, finding); });
    ear->told(ear->who, sdk::str(name + ": " + std::to_string(seen.runs) + " runs and " + std::to_string(seen.records) + " records were read"));
  } catch (const std::exception& e) {
    found(*ear, {0, {}, e.what()});
  }
}

std::int32_t copy_files(agentd_str settings, agentd_str, const agentd_ledger_ear* ear) noexcept { return refuse_copy(settings, ear); }
std::int32_t restore_files(agentd_str settings, agentd_str, std::int64_t, const agentd_ledger_ear* ear) noexcept { return refuse_copy(settings, ear); }

}  // namespace agentd::postgres
