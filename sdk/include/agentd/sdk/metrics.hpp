// Numbers of a component, exported by the host as agentd_plugin_<component>_<name>. Silent where the host has no metrics or no room.
#pragma once
#include <agentd/sdk/host.hpp>

#include <string_view>

namespace agentd::sdk {

// Only grows. Any thread.
class Counter {
 public:
  Counter() = default;
  Counter(const Host& host, std::string_view name, std::string_view help)
      : host_(host.raw()), service_(host.find<agentd_host_metrics_v1>()),
        metric_(service_ ? service_->declare(host_, AGENTD_METRIC_COUNTER, str(name), str(help)) : 0) {}
  void add(double value = 1) const {
    if (metric_ != 0) service_->add(host_, metric_, value);
  }

 private:
  agentd_host* host_ = nullptr;
  const agentd_host_metrics_v1* service_ = nullptr;
  uint64_t metric_ = 0;
};

// Goes up and down. Any thread.
class Gauge {
 public:
  Gauge() = default;
  Gauge(const Host& host, std::string_view name, std::string_view help)
      : host_(host.raw()), service_(host.find<agentd_host_metrics_v1>()),
        metric_(service_ ? service_->declare(host_, AGENTD_METRIC_GAUGE, str(name), str(help)) : 0) {}
  void add(double value) const {
    if (metric_ != 0) service_->add(host_, metric_, value);
  }
  void set(double value) const {
    if (metric_ != 0) service_->set(host_, metric_, value);
  }

 private:
  agentd_host* host_ = nullptr;
  const agentd_host_metrics_v1* service_ = nullptr;
  uint64_t metric_ = 0;
};

}  // namespace agentd::sdk
