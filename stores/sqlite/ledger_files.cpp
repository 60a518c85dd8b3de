#include "ledger_files.hpp"

#include <agentd/sdk/host.hpp>
#include <agentd/sdk/plugin.hpp>

#include <optional>

#include "ledger_backup.hpp"
#include "ledger_check.hpp"
#include "ledger_restore.hpp"
#include "settings.hpp"
#include "stores/lock/file_lock.hpp"

namespace agentd::sqlite {
namespace {

class Ear {
 public:
  explicit Ear(const agentd_ledger_ear& ear) : ear_(ear) {}
  void found(const Finding& finding) const { ear_.found(ear_.who, finding.position, finding.run, sdk::str(finding.text)); }
  void told(std::string_view text) const { ear_.told(ear_.who, sdk::str(text)); }

 private:
  const agentd_ledger_ear& ear_;
};

std::filesystem::path ledger_of(agentd_str settings) {
  const auto known = sdk::Type<Settings>::read(sdk::Json(sdk::view(settings)));
  return std::filesystem::path(known.path.value.text()) / "ledger.db";
}

// Whatever goes wrong is found. False: something did.
template <class F>
bool with_ear(const agentd_ledger_ear* ear, F&& body) noexcept {
  const Ear to(*ear);
  try {
    body(to);
    return true;
  } catch (const std::exception& e) {
    to.found({0, {}, e.what()});
    return false;
  }
}

// With the ledger's lock, and so while no process has it open.
template <class F>
std::int32_t alone(agentd_str settings, const agentd_ledger_ear* ear, F&& body) noexcept {
  std::optional<stores::FileLock> lock;
  std::filesystem::path file;
  const bool free = with_ear(ear, [&](const Ear&) {
    file = ledger_of(settings);
    std::filesystem::create_directories(file.parent_path());
    lock.emplace(file);
  });
  if (!free) return AGENTD_LEDGER_UNAVAILABLE;
  return with_ear(ear, [&](const Ear& to) { body(file, to); }) ? AGENTD_LEDGER_FINE : AGENTD_LEDGER_CORRUPT;
}

// "1 run", "2 runs"
std::string counted(std::int64_t count, const char* thing) { return std::to_string(count) + ' ' + thing + (count == 1 ? "" : "s"); }

}  // namespace

void check_files(agentd_str settings, const agentd_ledger_ear* ear) noexcept {
  with_ear(ear, [settings](const Ear& to) {
    const auto file = ledger_of(settings);
    if (!std::filesystem::exists(file)) return to.told(file.string() + ": there is no ledger yet");
    const auto seen = check_ledger(file, [&to](const Finding& finding) { to.found(finding); });
    to.told(file.string() + ": " + counted(seen.runs, "run") + " and " + counted(seen.records, "record") + " were read");
  });
}

std::int32_t copy_files(agentd_str settings, agentd_str to_file, const agentd_ledger_ear* ear) noexcept {
  const bool other = with_ear(ear, [&](const Ear&) { refuse_own(ledger_of(settings), std::filesystem::path(sdk::view(to_file))); });
  if (!other) return AGENTD_LEDGER_CORRUPT;
  return alone(settings, ear, [to_file](const std::filesystem::path& file, const Ear&) {
    if (!std::filesystem::exists(file)) throw sdk::Error(file.string() + ": there is no ledger yet");
    Db db(file, Db::Mode::read);
    Backup backup(db, std::filesystem::path(sdk::view(to_file)));
    while (backup.step()) {}
    backup.let_go();
    backup.keep();
  });
}

std::int32_t restore_files(agentd_str settings, agentd_str from_file, std::int64_t now_ms, const agentd_ledger_ear* ear) noexcept {
  return alone(settings, ear, [from_file, now_ms](const std::filesystem::path& file, const Ear& to) {
    const auto restored = restore_ledger(std::filesystem::path(sdk::view(from_file)), file, now_ms, [&to](const Finding& finding) { to.found(finding); });
    if (restored.kept == Restored::Kept::ledger) to.told("the ledger that was there is kept as " + restored.kept_as.string());
    if (restored.kept == Restored::Kept::remains) to.told("no ledger was there; what was left of one is kept as " + restored.kept_as.string() + "*");
    to.told(counted(restored.live, "run") + " had not ended when the backup was made, and " + (restored.live == 1 ? "goes" : "go") + " on from there");
  });
}

}  // namespace agentd::sqlite
