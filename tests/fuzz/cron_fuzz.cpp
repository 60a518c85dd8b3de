// Any text is refused with a sentence or gives slots that lie after the instant asked about and rise.
#include <cstdlib>
#include <string_view>

#include "core/schedule/schedule.hpp"

using namespace agentd;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto berlin = schedule::find_zone("Europe/Berlin").value();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto fields = schedule::parse_cron(text);
  if (!fields) {
    if (fields.error().message.empty()) std::abort();
    return 0;
  }
  const schedule::Schedule cron{.when = schedule::Cron{*fields, berlin}, .start = {}, .end = {}, .jitter = {}};
  auto after =
      Instant(std::chrono::sys_days(std::chrono::year(2026) / 3 / 29)) + Millis(static_cast<std::int64_t>(size) * 977'777);
  for (int i = 0; i < 5; ++i) {
    const auto slot = schedule::next_slot(cron, after);
    if (!slot) break;
    if (*slot <= after) std::abort();
    after = *slot;
  }
  return 0;
}
