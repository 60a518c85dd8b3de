// Metrics of plugins, which speak from any thread, brought to the registry on the engine's.
#pragma once
#include <map>
#include <tuple>
#include <vector>

#include "core/base/async.hpp"
#include "core/base/mutex.hpp"
#include "core/metrics/metrics.hpp"
#include "core/plugin/services.hpp"

namespace agentd::host {

class MetricsBridge final : public plugin::MetricsSink {
 public:
  static constexpr std::size_t kMost = 4096;
  MetricsBridge(Executor executor, metrics::Metrics& metrics) : executor_(std::move(executor)), metrics_(metrics) {}

  std::uint64_t declare(const std::string& component, const std::string& instance, Kind kind, std::string name, std::string help) override;
  void add(std::uint64_t metric, double value) override;
  void set(std::uint64_t metric, double value) override;

 private:
  using Name = std::tuple<std::string, std::string, std::string>;
  std::uint64_t known(std::uint64_t handle) const;  // the engine thread

  Executor executor_;
  metrics::Metrics& metrics_;
  Mutex mutex_;
  std::map<Name, std::uint64_t> handles_ AGENTD_GUARDED_BY(mutex_);  // from 1, in order
  std::map<std::uint64_t, std::uint64_t> declared_;                  // the engine thread: ours to the registry's
};

}  // namespace agentd::host
