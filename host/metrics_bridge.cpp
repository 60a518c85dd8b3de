#include "host/metrics_bridge.hpp"

namespace agentd::host {

std::uint64_t MetricsBridge::declare(const std::string& component, const std::string& instance, Kind kind, std::string name, std::string help) {
  std::uint64_t handle = 0;
  {
    const Lock lock(mutex_);
    const auto [place, fresh] = handles_.try_emplace(Name(component, instance, name), handles_.size() + 1);
    if (!fresh) return place->second;
    if (handles_.size() > kMost) {
      handles_.erase(place);
      return 0;
    }
    handle = place->second;
  }
  boost::asio::post(executor_, [this, handle, component, instance, gauge = kind == Kind::gauge, name = std::move(name), help = std::move(help)] {
    declared_[handle] = metrics_.declare(component, instance, gauge, name, help);
  });
  return handle;
}

std::uint64_t MetricsBridge::known(std::uint64_t handle) const {
  const auto found = declared_.find(handle);
  return found == declared_.end() ? 0 : found->second;
}

void MetricsBridge::add(std::uint64_t metric, double value) {
  boost::asio::post(executor_, [this, metric, value] {
    if (const auto real = known(metric)) metrics_.add(real, value);
  });
}

void MetricsBridge::set(std::uint64_t metric, double value) {
  boost::asio::post(executor_, [this, metric, value] {
    if (const auto real = known(metric)) metrics_.set(real, value);
  });
}

}  // namespace agentd::host
