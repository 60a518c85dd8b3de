// A copy of every event on a Redis stream: the component `redis` of agentd.events/1.
#pragma once
#include <agentd/sdk/events.hpp>

#include <optional>
#include <string>

#include "client.hpp"
#include "earlier.hpp"
#include "settings.hpp"

namespace agentd::redis {

// One batch at a time. What is new of a batch is added by one script, which adds nothing unless the latest event of the stream is the one
// that the batch was compared with; so events stay in order, once, whoever else writes and whatever dies. A stream that another ledger's
// events are in is refused: their ids are the same.
class Events : public sdk::EventStore {
 public:
  using Config = Settings;
  Events(const Settings& settings, const sdk::Host& host);
  void append(const sdk::EventBatch& batch) override;

 private:
  bool append_what_is_new(const sdk::EventBatch& batch);  // false: the latest is another than we thought
  std::optional<Told> find_latest();
  void check_came_before(const sdk::Event& event, const Told& found);

  const sdk::Host host_;
  const std::string stream_;
  const int64_t max_events_;
  Client client_;
  bool is_known_ = false;
  std::optional<Told> found_, latest_;  // of the stream: when we last looked, and since then by our own doing
  std::string kept_;                    // the latest that was acknowledged to us
  std::string checked_;                 // up to here, what came again was the same
  std::optional<Earlier> earlier_;      // while events come again
};

}  // namespace agentd::redis
