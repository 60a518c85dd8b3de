#include "host/doctor/machine.hpp"

#include <sys/resource.h>
#include <sys/timex.h>

#include <optional>

#include "core/schedule/zone.hpp"
#include "host/api/server.hpp"

namespace agentd::doctor {
namespace {

namespace fs = std::filesystem;
constexpr Millis kMostAhead{60'000};  // of a file, for whoever copied it from elsewhere

// The file that was written latest.
std::optional<std::pair<fs::path, Instant>> latest_in(const fs::path& folder) {
  std::optional<std::pair<fs::path, Instant>> latest;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const auto written = entry.last_write_time(error);
    if (error) continue;
    const auto at = std::chrono::floor<Millis>(std::chrono::file_clock::to_sys(written));
    if (!latest || at > latest->second) latest = {entry.path(), at};
  }
  return latest;
}

}  // namespace

Finding open_files() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return warning("open files", "the limit cannot be read", "Look at ulimit -Hn.");
  const std::size_t wanted = api::ServerLimits().connections, given = files.rlim_max / 4 * 3;  // as `serve` takes them
  const auto most = files.rlim_max == RLIM_INFINITY ? std::string("any number of") : std::to_string(files.rlim_max);
  if (given >= wanted) return ok("open files", "a host may open " + most + " files, enough for " + std::to_string(wanted) + " clients at a time");
  const auto enough = std::to_string((wanted + 2) / 3 * 4);
  return warning("open files", "a host may open " + most + " files, so " + std::to_string(given) + " clients at a time instead of " + std::to_string(wanted),
                 "Where that is not enough, set LimitNOFILE=" + enough + " in its unit, or ulimit -Hn " + enough + " before it starts.");
}

Finding clock(Instant now, const fs::path& state_dir) {
  const auto shown = format_instant_s(now);
  if (const auto latest = latest_in(state_dir); latest && latest->second > now + kMostAhead)
    return failed("clock", shown + ", but " + latest->first.string() + " was written at " + format_instant_s(latest->second), "Set the clock right before a host runs: slots, deadlines and retention go by it.");
  timex kept{};
  if (adjtimex(&kept) == TIME_ERROR || (kept.status & STA_UNSYNC) != 0)
    return warning("clock", shown + "; the kernel knows of nobody who keeps it right", "Run systemd-timesyncd or chrony, here or on the machine that this one is a container of.");
  return ok("clock", shown + ", kept right");
}

Finding time_zones() {
  constexpr const char* kAny = "America/New_York";
  if (const auto zone = schedule::find_zone(kAny); !zone) return failed("time zones", zone.error().message, "Install the package tzdata: no schedule has a time zone without it.");
  return ok("time zones", "the system's data has them");
}

}  // namespace agentd::doctor
