// Takes due runs from the ledger and sees each to its end, its wait or its release.
#pragma once
#include <memory>
#include <unordered_map>
#include <vector>

#include "core/run/run.hpp"

namespace agentd::run {

// The engine thread only. Outlives its runs: drain before it is destroyed.
class Worker {
 public:
  static constexpr std::size_t kMostInFlight = 10'000;

  explicit Worker(Surroundings around, std::size_t most_in_flight = kMostInFlight) : around_(std::move(around)), most_(most_in_flight) {}
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Claims from now on, whenever the ledger says that something may be due.
  void start();
  // Lets running steps end, at most so long; then stops what is left and gives it back. Nothing is in flight when it returns.
  Async<void> drain(Millis timeout);

  // A run in flight here is stopped and ends as cancelled; one that nobody has is ended at once; who has one elsewhere is asked to do
  // so. False when it had ended before.
  Async<Result<bool>> cancel(RunId run, std::string reason);
  // Another worker was asked. A run that is not in flight here may be tomorrow, when its worker has died over it.
  void heed(const event::CancelAsked& asked);
  void forget(RunId ended) { asked_.erase(ended); }

  std::size_t in_flight() const { return flights_.size(); }

 private:
  void wake();
  Async<void> claim();
  void take_off(port::Claim claim);
  Async<void> fly(RunId run, Run& story);
  Async<AgentRef> revision_of(RunId run);
  Async<Result<bool>> ask_its_worker(std::string agent_id, RunId run, std::string reason);

  Surroundings around_;
  std::size_t most_;
  // By run. One that was lost here and claimed here again has two for a moment.
  std::unordered_multimap<RunId, std::unique_ptr<Run>> flights_;
  static constexpr std::size_t kMostAsked = 10'000;
  struct Asked {
    std::string reason;
    Tick at{};
  };
  std::unordered_map<RunId, Asked> asked_;  // of runs in flight elsewhere, to end
  bool claiming_ = false, asked_again_ = false, draining_ = false, leaving_ = false, started_ = false;
  Timers::Id alarm_ = 0;
  std::vector<Promise<bool>> waiting_for_idle_;
};

}  // namespace agentd::run
