// A copy of every event in a table: the component `postgres` of agentd.events/1.
#pragma once
#include <agentd/sdk/events.hpp>

#include "client.hpp"

namespace agentd::postgres {

// A batch is one transaction, durable when append returns.
class Events final : public sdk::EventStore {
 public:
  using Config = Settings;
  Events(const Settings& settings, const sdk::Host& host);

  void append(const sdk::EventBatch& batch) override;

 private:
  Client client_;
};

}  // namespace agentd::postgres
