// Copies every event to one event store, in order and at least once, with a cursor of its own in the ledger.
#pragma once
#include <stop_token>
#include <string>

#include "core/event/live.hpp"
#include "core/port/events.hpp"

namespace agentd::event {

// The engine thread only.
class Copier {
 public:
  // The cursor is kept under "events:NAME"; a store that was never fed begins with the oldest event.
  Copier(World world, port::Ledger& ledger, Live& live, port::EventStore& store, std::string name);

  // Follows the journal until stop; a store that fails is tried again, 1 s later and then ever more slowly up to a minute. The cursor
  // is saved after what it stands behind is kept, at most once a second and at the end.
  Async<void> follow(std::stop_token stop);

  const std::string& name() const { return name_; }
  // Age of the oldest event the store does not have yet; 0 when it has all.
  double lag_seconds() const;
  const std::string& last_error() const { return last_error_; }

 private:
  Async<bool> deliver(std::vector<port::StoredRecord> records, std::stop_token stop);
  Async<void> save(bool now);

  World world_;
  port::Ledger& ledger_;
  Live& live_;
  port::EventStore& store_;
  std::string name_;
  Position kept_ = 0, saved_ = 0;
  Tick saved_at_{};
  std::optional<Instant> oldest_missing_;
  std::string last_error_;
};

}  // namespace agentd::event
