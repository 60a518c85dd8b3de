#include "keeper.hpp"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <utility>

namespace agentd::postgres {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLookEvery{1000};  // where no notice comes
constexpr milliseconds kFirstPause{100}, kLongestPause{2000};
constexpr std::chrono::minutes kGroupsKept{10};

constexpr Statement kExtend{"UPDATE workers SET until=clock_timestamp()+$2::int8*interval '1 ms',ahead=$3::int8 WHERE id=$1::int8"};
constexpr Statement kLook{"SELECT groups,(SELECT count(*) FROM workers WHERE " AGENTD_LEASE_OVER "),(extract(epoch FROM clock_timestamp())*1000)::int8 FROM head"};
constexpr Statement kForget{"DELETE FROM groups WHERE number<=$1::int8"};

std::string quoted(const std::string& name) {
  std::string out = "\"";
  for (const char c : name) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

}  // namespace

Keeper::Keeper(Place place, std::string channel, Lease& lease, ServerClock& clock, Ears ears)
    : place_(std::move(place)), channel_(std::move(channel)), lease_(lease), clock_(clock), ears_(std::move(ears)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (wake_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  // Signals are for the thread that waits for them.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Keeper::~Keeper() {
  ending_ = true;
  const std::uint64_t one = 1;
  (void)!::write(wake_, &one, sizeof one);
  thread_.join();
  ::close(wake_);
}

bool Keeper::rest(milliseconds longest) {
  pollfd waiting{wake_, POLLIN, 0};
  ::poll(&waiting, 1, static_cast<int>(longest.count()));
  return !ending_;
}

void Keeper::run() {
  ::pthread_setname_np(::pthread_self(), "pg-keeper");
  milliseconds pause = kFirstPause;
  bool troubled = false;
  while (!ending_) {
    try {
      Connection connection(place_);
      connection.run("LISTEN " + quoted(channel_));
      troubled = false;
      pause = kFirstPause;
      ears_.look();  // what was missed
      while (!ending_) keep(connection);
    } catch (const std::exception& e) {
      if (ending_) return;
      if (!std::exchange(troubled, true)) ears_.trouble(e.what());
      if (!rest(pause)) return;
      pause = std::min(pause * 2, kLongestPause);
    }
  }
}

// Once a second, and at every notice.
void Keeper::keep(Connection& connection) {
  const bool noticed = connection.wait_for_notice(wake_, kLookEvery, std::to_string(lease_.worker()));
  const auto before = since_boot();
  if (ending_ || (!noticed && before - kept_at_ < kLookEvery)) return;
  kept_at_ = before;
  const auto worker = lease_.worker();
  const bool extends = worker != 0 && lease_.age() >= kExtendAfter;
  if (extends) connection.send(kExtend, Parameters(worker, std::int64_t{kLease.count()}, clock_.last_ahead_ms()));
  connection.send(kLook);
  const auto results = connection.sync(milliseconds(5000));
  const auto& seen = results.back();
  clock_.heard(seen.integer(0, 2), before, since_boot());
  const bool is_gone = extends && results.front().changed() == 0;  // others took it for dead
  if (extends && !is_gone) lease_.extended(before);
  if (noticed || is_gone || seen.integer(0, 1) > 0 || seen.integer(0, 0) != looked_at_) ears_.look();
  looked_at_ = seen.integer(0, 0);
  forget_old_groups(connection, seen.integer(0, 0));
}

// Who did not hear of them by now reads everything anew.
void Keeper::forget_old_groups(Connection& connection, std::int64_t groups) {
  const auto now = since_boot();
  if (!marks_.empty() && now - marks_.back().first < std::chrono::minutes(1)) return;
  marks_.emplace_back(now, groups);
  if (now - marks_.front().first < kGroupsKept) return;
  connection.ask(kForget, Parameters(marks_.front().second));
  marks_.erase(marks_.begin());
}

}  // namespace agentd::postgres
