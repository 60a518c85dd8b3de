// This process as the ledger's server knows it: a worker session, and until when it may act on what it holds.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>

namespace agentd::postgres {

inline constexpr std::chrono::milliseconds kLease{15'000};  // as the server counts it
// Of a worker's row. Who could not say that it lives because the server was away has as long as a lease to do so. A worker that leaves
// says '-infinity'.
#define AGENTD_LEASE_OVER "(until='-infinity' OR (until<clock_timestamp() AND pg_postmaster_start_time()<clock_timestamp()-interval '15 s'))"
inline constexpr std::chrono::milliseconds kExtendAfter = kLease / 3, kTrustedFor = kLease * 2 / 3;

// Time that goes on while the machine sleeps.
std::chrono::nanoseconds since_boot();

// Any thread. Counted from before the server was asked, so that it ends here before it ends there.
class Lease {
 public:
  void begin(std::int64_t worker, std::chrono::nanoseconds asked_at) {
    asked_at_ = asked_at.count();
    worker_ = worker;
  }
  void extended(std::chrono::nanoseconds asked_at) { asked_at_ = asked_at.count(); }
  std::int64_t worker() const { return worker_; }  // 0: none yet
  std::chrono::nanoseconds age() const { return since_boot() - std::chrono::nanoseconds(asked_at_); }
  bool is_trusted() const { return worker_ != 0 && age() < kTrustedFor; }

 private:
  std::atomic<std::int64_t> worker_ = 0, asked_at_ = 0;
};

// The server's clock, as far as it is known here. Any thread.
class ServerClock {
 public:
  // It said `now_ms`, when asked between these two.
  void heard(std::int64_t now_ms, std::chrono::nanoseconds before, std::chrono::nanoseconds after);
  // How much a clock of the caller's is ahead of it; 0 while nothing was heard.
  std::int64_t ahead_ms(std::int64_t now_ms) const;
  // The same, of the caller's clock as it was when it was last asked about.
  std::int64_t last_ahead_ms() const { return ahead_; }

 private:
  std::atomic<std::int64_t> boot_ms_ = 0;  // what the server's clock said when this machine started
  mutable std::atomic<std::int64_t> ahead_ = 0;
};

}  // namespace agentd::postgres
