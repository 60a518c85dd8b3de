// What the API's handlers work with. Borrowed; outlives the server.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "core/event/copier.hpp"
#include "core/manifest/host_config.hpp"
#include "core/metrics/metrics.hpp"
#include "core/run/decide.hpp"
#include "core/run/worker.hpp"
#include "host/deltas.hpp"
#include "host/enrolment.hpp"
#include "host/fleet.hpp"
#include "host/journal.hpp"
#include "host/ports.hpp"
#include "host/reload.hpp"
#include "host/roster.hpp"
#include "host/slots.hpp"
#include "host/watch.hpp"

namespace agentd::api {

struct Context {
  World world;
  const manifest::HostConfig& config;
  port::Ledger& ledger;
  port::LedgerUpkeep& upkeep;
  port::LedgerSharing& sharing;
  const host::Leases& leases;
  const host::Ports& ports;
  const host::Roster& roster;
  host::Journal& journal;
  host::Deltas& deltas;
  const host::Slots& slots;
  run::Worker& worker;
  run::Decisions& decisions;
  const std::vector<std::unique_ptr<event::Copier>>& copiers;
  const host::Watch& watch;
  const host::Modes& modes;
  host::Fleet& fleet;
  host::Enrolment& enrolment;
  host::Reload& reload;
  metrics::Metrics& metrics;
  Instant started_at{};
  bool ready = false;     // the engine thread sets it
  bool draining = false;
};

}  // namespace agentd::api
