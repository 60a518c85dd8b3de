// One process: a ledger opened on the disk, a worker, schedules and a copier over it, put together as the host puts them.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/event/copier.hpp"
#include "core/run/decide.hpp"
#include "core/run/worker.hpp"
#include "host/deliverer.hpp"
#include "host/overtaking.hpp"
#include "host/quarantine.hpp"
#include "host/slots.hpp"
#include "tests/conformance/plugin_world.hpp"  // library_of
#include "tests/sim/watched_ledger.hpp"

namespace agentd::sim {

// A machine's clocks: the tick goes on while it is suspended, and its timers come so much later.
class MachineClock final : public Clock {
 public:
  explicit MachineClock(support::VirtualWorld& world) : world_(world) {}
  Instant now() const override { return world_.now() + slept_; }
  Tick tick() const override { return world_.tick() + slept_; }
  void suspend(Millis by) { slept_ += by; }

 private:
  support::VirtualWorld& world_;
  Millis slept_{0};
};

// What every process of a seed is started with.
struct Installation {
  std::filesystem::path folder;  // where the ledger is
  const std::vector<manifest::AgentSpec>& specs;
  std::map<std::string, std::string> manifests;  // by agent: what is kept of it as a revision
  run::AgentSource& agents;
  const host::Log& log;
  Faults& faults;
  Witness& witness;
  Outside& outside;
};

class Process {
 public:
  Process(Installation& from, std::uint64_t seed, Instant now);
  ~Process();  // after leave()

  bool start();  // false: it did not come up, or died
  bool is_up() const { return up_ && !gone_ && !life_.dead(); }
  void die() { life_.death.request_stop(); }
  bool is_dead() const { return life_.dead(); }
  std::stop_token death() const { return life_.death.get_token(); }
  void drain(Millis timeout);  // once; it ends by itself after that
  bool is_draining() const { return draining_; }
  void leave();  // whatever state it is in: nothing of it goes on

  support::VirtualWorld& world() { return world_; }
  MachineClock& clock() { return clock_; }
  WatchedLedger& ledger() { return *ledger_; }
  bool has_ledger() const { return ledger_.has_value(); }
  run::Worker& worker() { return *worker_; }
  run::Decisions& decisions() { return *decisions_; }
  const agentd::World& ports() const { return life_.world; }
  void stop_schedules() { slots_->stop(); }
  const host::Members& members() const { return members_; }
  const host::Quarantine& quarantine() const { return quarantine_; }
  // Stories that are told to their end before the process leaves.
  void tell(Async<void> story);

 private:
  Async<bool> come_up();
  Async<bool> open();
  Async<bool> keep_specs();
  Async<bool> record_start();
  Async<void> follow();
  Async<void> deliver();
  void hear(const port::StoredRecord& record);
  Async<void> stop(Millis timeout);
  Async<bool> unwind();
  Async<void> count(Async<void> story);

  Installation& from_;
  support::VirtualWorld world_;
  MachineClock clock_;
  Life life_;
  plugin::Instances instances_;
  host::Members members_;
  std::optional<WatchedLedger> ledger_;
  std::optional<event::Live> live_;
  std::optional<event::Copier> copier_;
  std::optional<run::Worker> worker_;
  std::optional<host::Slots> slots_;
  std::optional<run::Decisions> decisions_;
  std::optional<host::Overtaking> overtaking_;
  std::optional<host::Deliverer> deliverer_;
  host::Quarantine quarantine_;
  port::Cleaner& cleaner_;
  std::stop_source stop_copying_;
  std::size_t stories_ = 0;
  bool up_ = false, draining_ = false, gone_ = false;
};

}  // namespace agentd::sim
