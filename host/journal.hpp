// What the host does with every committed group: live readers, metrics, the log, what waits for people, what was spent today, and those who wait for a
// run's end.
#pragma once
#include <functional>
#include <map>
#include <set>
#include <stop_token>
#include <vector>

#include "core/event/live.hpp"
#include "core/event/unread.hpp"
#include "core/metrics/metrics.hpp"
#include "core/port/ledger.hpp"
#include "host/approvals.hpp"
#include "host/log.hpp"
#include "host/quarantine.hpp"
#include "host/spent_today.hpp"

namespace agentd::host {

// The engine thread only. Outlives its readers.
class Journal {
 public:
  Journal(World world, port::Ledger& ledger, metrics::Metrics& metrics, const Log& log);

  event::Live& live() { return live_; }
  event::Unread& unread() { return unread_; }
  Approvals& approvals() { return approvals_; }
  Quarantine& quarantine() { return quarantine_; }
  SpentToday& spent_today() { return spent_today_; }
  // This agent's events are logged whatever the level.
  void debug(const std::string& agent_id, bool wanted) {
    if (wanted) debugged_.insert(agent_id);
    else debugged_.erase(agent_id);
  }

  // Who wants to know of every run that has come in, once it is durable. One at most.
  void on_entry(std::function<void(const port::StoredRecord&, const event::Entered&)> tell) { tell_entry_ = std::move(tell); }

  // Whoever wants to hear of every record, once it is durable.
  void on_record(std::function<void(const port::StoredRecord&, const event::Body&)> tell) { tell_record_.push_back(std::move(tell)); }

  // Somebody who wants to know that a run has ended. Made before the question whether it has, so that no end falls in between.
  class EndOf {
   public:
    EndOf(Journal& journal, RunId run);
    ~EndOf();
    EndOf(const EndOf&) = delete;
    EndOf& operator=(const EndOf&) = delete;
    Async<void> wait(Millis timeout, std::stop_token stop);

   private:
    friend class Journal;
    Journal& journal_;
    RunId run_;
    std::stop_source ended_;
  };

 private:
  void take(std::span<const port::StoredRecord> group);
  void take(const port::StoredRecord& record, const event::Decoded& decoded);
  void forget(const event::RunForgotten& forgotten);
  void log(const port::StoredRecord& record, const event::Decoded& decoded) const;

  World world_;
  port::Ledger& ledger_;
  metrics::Metrics& metrics_;
  const Log& log_;
  event::Live live_;
  event::Unread unread_;
  Approvals approvals_;
  Quarantine quarantine_;
  SpentToday spent_today_;
  std::set<std::string> debugged_;
  std::function<void(const port::StoredRecord&, const event::Entered&)> tell_entry_;
  std::vector<std::function<void(const port::StoredRecord&, const event::Body&)>> tell_record_;
  std::multimap<RunId, EndOf*> waiting_;
};

}  // namespace agentd::host
