#include "core/plugin/ledger_files.hpp"

#include <agentd/abi/ledger.h>

#include "core/plugin/abi_text.hpp"

namespace agentd::plugin {
namespace {

void ledger_found(void* who, int64_t position, agentd_run_id run, agentd_str text) noexcept {
  static_cast<port::LedgerReport*>(who)->found.push_back({position, {run.position, run.nonce}, std::string(view(text))});
}

void ledger_told(void* who, agentd_str text) noexcept { static_cast<port::LedgerReport*>(who)->told.emplace_back(view(text)); }

class LedgerFilesPort final : public port::LedgerFiles {
 public:
  LedgerFilesPort(const agentd_ledger& table, std::string settings) : table_(table), settings_(std::move(settings)) {}

  port::LedgerReport check() override {
    port::LedgerReport report;
    const agentd_ledger_ear ear{&report, &ledger_found, &ledger_told};
    table_.check_files(str(settings_), &ear);
    return report;
  }

  port::LedgerReport copy(const std::string& file) override {
    port::LedgerReport report;
    const agentd_ledger_ear ear{&report, &ledger_found, &ledger_told};
    report.in_use = table_.copy_files(str(settings_), str(file), &ear) == AGENTD_LEDGER_UNAVAILABLE;
    return report;
  }

  port::LedgerReport restore(const std::string& file, Instant now) override {
    port::LedgerReport report;
    const agentd_ledger_ear ear{&report, &ledger_found, &ledger_told};
    report.in_use = table_.restore_files(str(settings_), str(file), now.time_since_epoch().count(), &ear) == AGENTD_LEDGER_UNAVAILABLE;
    return report;
  }

 private:
  const agentd_ledger& table_;
  const std::string settings_;
};

}  // namespace

Result<std::unique_ptr<port::LedgerFiles>> ledger_files(const Catalog::Found& found, std::string settings) {
  const auto& component = *found.component;
  if (component.interface_id != AGENTD_LEDGER_ID) return fail(of_another_host(found));
  return std::make_unique<LedgerFilesPort>(*static_cast<const agentd_ledger*>(component.table), std::move(settings));
}

bool is_shared_ledger(const Catalog::Found& found) {
  const auto& component = *found.component;
  return component.interface_id == AGENTD_LEDGER_ID && static_cast<const agentd_ledger*>(component.table)->lease != nullptr;
}

std::string of_another_host(const Catalog::Found& found) {
  return found.library->file.string() + ": " + found.component->name + " is a ledger for another host (" + found.component->interface_id +
         ", this one needs " AGENTD_LEDGER_ID "); install the plugins that came with this agentd";
}

}  // namespace agentd::plugin
