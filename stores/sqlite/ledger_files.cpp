#include "ledger_files.hpp"

#include <agentd/sdk/host.hpp>
#include <agentd/sdk/plugin.hpp>

#include "ledger_check.hpp"
#include "settings.hpp"

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

// Whatever goes wrong is found.
template <class F>
void with_ear(const agentd_ledger_ear* ear, F&& body) noexcept {
  const Ear to(*ear);
  try {
    body(to);
  } catch (const std::exception& e) {
    to.found({0, {}, e.what()});
  }
}

}  // namespace

void check_files(agentd_str settings, const agentd_ledger_ear* ear) noexcept {
  with_ear(ear, [settings](const Ear& to) {
    const auto file = ledger_of(settings);
    if (!std::filesystem::exists(file)) return to.told(file.string() + ": there is no ledger yet");
    const auto seen = check_ledger(file, [&to](const Finding& finding) { to.found(finding); });
    to.told(file.string() + ": " + std::to_string(seen.runs) + " runs and " + std::to_string(seen.records) + " records were read");
  });
}

}  // namespace agentd::sqlite
