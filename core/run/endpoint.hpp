// One provider entry as all runs share it: who answers, what it costs, and whether it is worth asking now. A refusal for want of
// credentials or quota, or a Retry-After, holds for every run, so one that has met it spares the others the same answer.
// The engine thread only; outlives every run.
#pragma once
#include <map>
#include <optional>
#include <string>

#include "core/base/clock.hpp"
#include "core/manifest/host_config.hpp"
#include "core/memory/token_rate.hpp"
#include "core/port/provider.hpp"

namespace agentd::run {

class Endpoint {
 public:
  static constexpr std::size_t kMostRates = 1000;
  Endpoint(std::string name, port::Provider& provider, Millis timeout, std::map<std::string, manifest::Prices> prices)
      : name_(std::move(name)), provider_(provider), timeout_(timeout), prices_(std::move(prices)) {}

  const std::string& name() const { return name_; }
  port::Provider& provider() const { return provider_; }
  Millis timeout() const { return timeout_; }  // of one call
  const manifest::Prices* prices(const std::string& model) const;

  // What its own counts say of a model's tokens.
  memory::TokenRate& rate(const std::string& model);

  bool down() const { return probe_after_ > Millis(0); }           // refused for credentials or quota, not answered since
  std::optional<Millis> closed_for(Tick now) const;                // not worth asking for so long
  void answered() { probe_after_ = Millis(0); }
  Millis refused(Tick now, std::optional<Millis> retry_after);     // down; asked again after so long: 30 s, doubling to 15 min
  void pause(Tick now, Millis delay);

 private:
  std::string name_;
  port::Provider& provider_;
  Millis timeout_;
  std::map<std::string, manifest::Prices> prices_;
  std::map<std::string, memory::TokenRate> rates_;  // by model, at most kMostRates: the rest share one
  Tick closed_until_{};
  Millis probe_after_{0};
};

}  // namespace agentd::run
