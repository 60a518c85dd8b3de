// Copies every event to one event store, in order and at least once, with a cursor of its own in the ledger.
#pragma once
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "core/event/live.hpp"
#include "core/port/events.hpp"

namespace agentd::event {

// The engine thread only.
class Copier {
 public:
  // Whole sentences for the log. Of each trouble one when it begins or becomes another, and one when it is over.
  struct Listener {
    std::function<void(const std::string&)> error, info;
  };
  // The cursor is kept under "events:NAME"; a store that was never fed begins with the oldest event.
  Copier(World world, port::Ledger& ledger, Live& live, port::EventStore& store, std::string name, Listener listener);

  // Follows the journal until stop; a store that fails is tried again, 1 s later and then ever more slowly up to a minute. The cursor
  // is saved after what it stands behind is kept, at most once a second and at the end. A record that cannot be read is told and left out.
  // Under a lease where the ledger is shared; may be called again when it has returned.
  Async<void> follow(std::stop_token stop, port::Fence fence = {});

  const std::string& name() const { return name_; }
  // Age of the oldest event the store does not have yet; 0 when it has all.
  double lag_seconds() const;
  bool is_following() const { return following_; }  // else another replica may be
  bool is_behind() const { return following_ && kept_ < ledger_.last_position(); }
  const std::string& last_error() const { return copying_.empty() ? saving_ : copying_; }  // empty: nothing is wrong

 private:
  Async<bool> deliver(std::vector<port::StoredRecord> records, std::stop_token stop);
  Async<void> save(bool now);
  void fell_behind();
  void tell(std::string& trouble, const char* what, const std::string& now);

  World world_;
  port::Ledger& ledger_;
  Live& live_;
  port::EventStore& store_;
  std::string name_;
  Listener listener_;
  port::Fence fence_;
  bool following_ = false;
  Position kept_ = 0, saved_ = 0;
  Tick saved_at_{};
  std::optional<Instant> oldest_missing_;
  std::string copying_, saving_;  // what is wrong with it now
};

}  // namespace agentd::event
