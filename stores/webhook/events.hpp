// Each event is a request of its own, and counts as kept when its receiver has answered with a status from 200 to 299.
#pragma once
#include <agentd/sdk/events.hpp>
#include <agentd/sdk/http.hpp>

#include <string>
#include <unordered_set>

#include "settings.hpp"

namespace agentd::webhook {

class Events final : public sdk::EventStore {
 public:
  using Config = Settings;
  Events(const Settings& settings, const sdk::Host& host);

  void append(const sdk::EventBatch& batch) override;

 private:
  class Delivery;
  bool is_wanted(const sdk::Event& event) const;

  const Settings settings_;
  const sdk::Host host_;
  const std::string key_;  // of the signature; empty: none
  std::string last_;       // all up to here were delivered, or are not wanted
  std::unordered_set<std::string> delivered_;  // of the batch that is to come again
};

}  // namespace agentd::webhook
