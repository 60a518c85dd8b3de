// What one of all replicas of a ledger does, and not each of them: whoever wants to do it waits here until it is this one's. Where no
// ledger is shared it is so at once and for ever, and nobody is asked.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "core/base/async.hpp"
#include "core/port/ledger_sharing.hpp"

namespace agentd::host {

// Whoever holds it exports the gauges that are the fleet's and not one replica's.
inline constexpr const char* kFleetGauges = "gauges";

// The engine thread only.
class Leases {
 public:
  static constexpr Millis kAskEvery{1'000};

  // tell: what changes hands, for the log.
  Leases(World world, port::LedgerSharing& ledger, std::function<void(const std::string&)> tell) : world_(world), ledger_(ledger), tell_(std::move(tell)) {}

  struct End {
    std::stop_source& source;
    void operator()() const { source.request_stop(); }
  };
  // A lease while this replica holds it.
  class Tenure {
   public:
    Tenure(port::Fence fence, const std::stop_token& stop, const std::stop_token& lost);
    const port::Fence& fence() const { return fence_; }  // of what is written under it
    std::stop_token until() const { return over_->source.get_token(); }  // it is lost, or who holds it was told to stop

   private:
    struct Over {
      Over(const std::stop_token& stop, const std::stop_token& lost) : on_stop(stop, End{source}), on_loss(lost, End{source}) {}
      std::stop_source source;
      std::stop_callback<End> on_stop, on_loss;
    };
    port::Fence fence_;
    std::unique_ptr<Over> over_;
  };
  bool is_shared() const { return ledger_.is_shared(); }
  // Waits until this replica holds it; nothing: it was told to stop before.
  Async<std::optional<Tenure>> hold(std::string name, std::stop_token stop);
  // Without waiting; nothing: another one holds it, or that is not known yet.
  std::optional<Tenure> held(const std::string& name, const std::stop_token& stop) const;
  bool holds(const std::string& name) const;
  void want(const std::string& name);  // for who never waits, and asks whether it holds it
  std::map<std::string, bool> all() const;  // that were ever wanted, and whether they are held; none where no ledger is shared

  // Nobody is asked any more when it returns, and nothing is held.
  Async<void> stop();

 private:
  struct Held {
    std::uint64_t generation = 0;  // 0: it is wanted
    std::stop_source lost;
  };
  Async<void> follow();
  void learn(const std::string& name, std::uint64_t generation);
  void lose_all();

  const World world_;
  port::LedgerSharing& ledger_;
  const std::function<void(const std::string&)> tell_;
  std::map<std::string, Held> leases_;
  std::stop_source hurry_, gained_, stopping_;
  bool following_ = false;
  Timers::Id expiry_ = 0;
};

}  // namespace agentd::host
