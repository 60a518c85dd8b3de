#include "core/run/endpoint.hpp"

#include <algorithm>

namespace agentd::run {
namespace {
constexpr Millis kFirstProbe{30'000};
constexpr Millis kLongestProbe{900'000};
}  // namespace

const manifest::Prices* Endpoint::prices(const std::string& model) const {
  const auto found = prices_.find(model);
  return found == prices_.end() ? nullptr : &found->second;
}

memory::TokenRate& Endpoint::rate(const std::string& model) {
  const bool is_full = rates_.size() >= kMostRates && !rates_.contains(model);
  return rates_[is_full ? std::string() : model];
}

std::optional<Millis> Endpoint::closed_for(Tick now) const {
  if (now >= closed_until_) return std::nullopt;
  return std::chrono::ceil<Millis>(closed_until_ - now);
}

Millis Endpoint::refused(Tick now, std::optional<Millis> retry_after) {
  // Calls that were in flight together are refused together: that is one refusal.
  if (const auto closed = closed_for(now); down() && closed) return *closed;
  probe_after_ = down() ? std::min(probe_after_ * 2, kLongestProbe) : kFirstProbe;
  const Millis delay = std::max(probe_after_, retry_after.value_or(Millis(0)));
  pause(now, delay);
  return delay;
}

void Endpoint::pause(Tick now, Millis delay) { closed_until_ = std::max(closed_until_, now + delay); }

}  // namespace agentd::run
