// One process of the half year: a ledger on the disk in memory, its retention, a worker and schedules, put together as the host
// puts them.
#pragma once
#include <filesystem>
#include <optional>

#include "core/run/worker.hpp"
#include "host/retention.hpp"
#include "host/slots.hpp"
#include "tests/conformance/plugin_world.hpp"  // library_of
#include "tests/sim/months/calendar.hpp"
#include "tests/sim/months/elsewhere.hpp"
#include "tests/sim/months/mortal_ledger.hpp"

namespace agentd::sim::months {

struct Installation {
  std::filesystem::path folder;  // where the ledger is
  const std::vector<manifest::AgentSpec>& specs;
  run::AgentSource& agents;
  const host::Log& log;
  Calendar& calendar;
  Elsewhere& elsewhere;
  Millis retention;
};

class Host {
 public:
  Host(Installation& from, std::uint64_t seed, Instant now);
  ~Host();  // after leave()

  bool start();  // false: it died
  void die() { life_.death.request_stop(); }
  bool is_dead() const { return life_.dead(); }
  void stop_schedules() { slots_->stop(); }
  // With time for steps to end, or dead: nothing of it goes on.
  void leave(Millis drain_timeout);

  support::VirtualWorld& world() { return world_; }
  MortalLedger& ledger() { return *ledger_; }

 private:
  Async<bool> come_up();
  Async<bool> catch_up();
  Async<bool> keep_specs();
  Async<bool> record(event::Body body);
  Async<bool> unwind(Millis drain_timeout);

  Installation& from_;
  support::VirtualWorld world_;
  Life life_;
  plugin::Instances instances_;
  host::Members members_;
  std::optional<MortalLedger> ledger_;
  std::optional<run::Worker> worker_;
  std::optional<host::Slots> slots_;
  std::optional<host::Retention> retention_;
};

}  // namespace agentd::sim::months
