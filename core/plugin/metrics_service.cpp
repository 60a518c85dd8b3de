#include <agentd/abi/host.h>

#include "core/base/json_text.hpp"
#include "core/plugin/abi_text.hpp"
#include "core/plugin/host_services.hpp"

namespace agentd::plugin {
namespace {

constexpr std::size_t kMostMetrics = 256;

// [a-z][a-z0-9_]{0,63}
bool is_metric_name(std::string_view name) {
  if (name.empty() || name.size() > 64 || name.front() < 'a' || name.front() > 'z') return false;
  for (const char c : name)
    if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_') return false;
  return true;
}

class MetricsService final : public HostService {
 public:
  static constexpr Part kPart = Part::metrics;
  MetricsService(Instance& instance, MetricsSink& sink) : instance_(instance), sink_(sink) {}
  std::string_view id() const override { return AGENTD_HOST_METRICS_1; }
  const void* table() const override {
    static constexpr agentd_host_metrics_v1 kTable{
        [](agentd_host* h, std::int32_t kind, agentd_str name, agentd_str help) noexcept { return of(h).declare(kind, name, help); },
        [](agentd_host* h, std::uint64_t metric, double value) noexcept { of(h).add(metric, value); },
        [](agentd_host* h, std::uint64_t metric, double value) noexcept { of(h).set(metric, value); }};
    return &kTable;
  }

 private:
  struct Metric {
    MetricsSink::Kind kind;
    std::uint64_t handle;
  };
  static MetricsService& of(agentd_host* host) { return Instance::of(host).part<MetricsService>(); }

  std::uint64_t declare(std::int32_t kind, agentd_str name, agentd_str help) {
    if ((kind != AGENTD_METRIC_COUNTER && kind != AGENTD_METRIC_GAUGE) || !is_sound(name) || !is_sound(help) || !is_metric_name(view(name))) return 0;
    const auto known = kind == AGENTD_METRIC_COUNTER ? MetricsSink::Kind::counter : MetricsSink::Kind::gauge;
    const Lock lock(mutex_);
    if (metrics_.size() == kMostMetrics) return 0;
    const auto handle = sink_.declare(instance_.component().name, instance_.name(), known, std::string(view(name)), to_utf8(view(help)));
    if (!handle) return 0;
    metrics_.push_back({known, handle});
    return metrics_.size();
  }

  void add(std::uint64_t metric, double value) {
    const auto m = find(metric);
    if (m && (m->kind == MetricsSink::Kind::gauge || value >= 0)) sink_.add(m->handle, value);
  }
  void set(std::uint64_t metric, double value) {
    const auto m = find(metric);
    if (m && m->kind == MetricsSink::Kind::gauge) sink_.set(m->handle, value);
  }
  std::optional<Metric> find(std::uint64_t metric) {
    const Lock lock(mutex_);
    if (metric == 0 || metric > metrics_.size()) return std::nullopt;
    return metrics_[metric - 1];
  }

  Instance& instance_;
  MetricsSink& sink_;
  Mutex mutex_;
  std::vector<Metric> metrics_ AGENTD_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<HostService> make_metrics_service(Instance& instance) {
  auto* const sink = instance.services().metrics;
  return sink ? std::make_unique<MetricsService>(instance, *sink) : nullptr;
}

}  // namespace agentd::plugin
