// A sign of life for somebody outside, who calls a person when it stays away: https://healthchecks.io/docs/http_api/ and the like.
// What watches a host from within dies with it.
#pragma once
#include <memory>
#include <stop_token>

#include "core/port/ledger.hpp"
#include "host/sinks/sink.hpp"

namespace agentd::host {

// A GET of the URL, now and then again and again; not while the ledger takes nothing, for then the host does not do its work.
// The engine thread only, of the loop that ticks schedules and moves runs.
class Heartbeat {
 public:
  Heartbeat(SinkGround ground, const port::Ledger& ledger, const std::string& url, Millis every);

  void start();
  Async<void> stop();

 private:
  Async<void> beat();

  const SinkGround ground_;
  const port::Ledger& ledger_;
  const std::unique_ptr<Sink> sink_;
  const Millis every_;
  bool beating_ = false;
  std::stop_source stopping_;
};

}  // namespace agentd::host
