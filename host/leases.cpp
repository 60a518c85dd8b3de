#include "host/leases.hpp"

namespace agentd::host {
namespace {

constexpr Millis kUntilWoken = std::chrono::days(365);

}  // namespace

Leases::Tenure::Tenure(port::Fence fence, const std::stop_token& stop, const std::stop_token& lost) : fence_(std::move(fence)), over_(std::make_unique<Over>(stop, lost)) {}

Async<std::optional<Leases::Tenure>> Leases::hold(std::string name, std::stop_token stop) {
  while (!stop.stop_requested()) {
    std::stop_source wake;
    const End end{wake};
    const std::stop_callback on_stop(stop, end), on_gain(gained_.get_token(), end);
    want(name);
    if (auto tenure = held(name, stop)) co_return tenure;
    co_await sleep(world_.timers, kUntilWoken, wake.get_token());
  }
  co_return std::nullopt;
}

std::optional<Leases::Tenure> Leases::held(const std::string& name, const std::stop_token& stop) const {
  if (!ledger_.is_shared()) return Tenure({}, stop, {});
  const auto known = leases_.find(name);
  if (known == leases_.end() || known->second.generation == 0) return std::nullopt;
  return Tenure({name, known->second.generation}, stop, known->second.lost.get_token());
}

bool Leases::holds(const std::string& name) const {
  const auto known = leases_.find(name);
  return !ledger_.is_shared() || (known != leases_.end() && known->second.generation != 0);
}

std::map<std::string, bool> Leases::all() const {
  std::map<std::string, bool> all;
  for (const auto& [name, held] : leases_) all[name] = held.generation != 0;
  return all;
}

void Leases::want(const std::string& name) {
  if (!ledger_.is_shared() || !leases_.try_emplace(name).second || stopping_.stop_requested()) return;
  hurry_.request_stop();
  if (!std::exchange(following_, true)) spawn(world_.executor, follow());
}

// The ledger gives a lease to somebody else when this process has not said for a while that it lives; what was lost so is known here
// before.
Async<void> Leases::follow() {
  while (!stopping_.stop_requested()) {
    hurry_ = std::stop_source();
    std::vector<std::string> names;
    for (const auto& [name, held] : leases_) names.push_back(name);
    const auto asked_at = world_.clock.tick();
    const auto given = co_await ledger_.lease(names);
    if (given) {
      world_.timers.cancel(std::exchange(expiry_, 0));
      const auto took = std::chrono::ceil<Millis>(world_.clock.tick() - asked_at);
      for (std::size_t i = 0; i < names.size() && i < given->size(); ++i) learn(names[i], took < port::LedgerSharing::kTrustedFor ? (*given)[i] : 0);
      expiry_ = world_.timers.after(std::max(Millis(0), port::LedgerSharing::kTrustedFor - took), [this] { lose_all(); });
    }
    if (!stopping_.stop_requested()) co_await sleep(world_.timers, kAskEvery, hurry_.get_token());
  }
  following_ = false;
}

void Leases::learn(const std::string& name, std::uint64_t generation) {
  auto& held = leases_[name];
  if (held.generation == generation) return;
  auto before = std::exchange(held, {generation, {}});
  if (before.generation != 0) {
    tell_(name + ": another replica does this from now on, or may");
    before.lost.request_stop();
  }
  if (generation == 0) return;
  tell_(name + ": this replica does this from now on");
  std::exchange(gained_, {}).request_stop();
}

void Leases::lose_all() {
  expiry_ = 0;
  for (const auto& [name, held] : std::map(leases_)) learn(name, 0);
}

Async<void> Leases::stop() {
  stopping_.request_stop();
  hurry_.request_stop();
  while (following_) co_await sleep(world_.timers, Millis(1), {});
  world_.timers.cancel(std::exchange(expiry_, 0));
  lose_all();
}

}  // namespace agentd::host
