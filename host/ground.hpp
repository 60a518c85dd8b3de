// What every command stands on that loads plugins: the real world, the log, metrics, and the plugins' ports. One thread.
#pragma once
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <optional>

#include "core/base/real_world.hpp"
#include "core/metrics/metrics.hpp"
#include "host/log.hpp"
#include "host/metrics_bridge.hpp"
#include "host/ports.hpp"

namespace agentd::host {

class Ground {
 public:
  // The configuration and the environment outlive it.
  Ground(const manifest::LoadedConfig& loaded, const manifest::Environment& environment, std::vector<std::filesystem::path> plugin_folders, std::filesystem::path state_dir,
         plugin::Patience patience = {});

  // Runs a story to its end on this thread.
  template <class T>
  T run(Async<T> story) {
    std::optional<T> result;
    spawn(io.get_executor(), keep(std::move(story), result, io));
    io.restart();
    io.run();
    return std::move(*result);
  }

  boost::asio::io_context io{1};
  SystemClock clock;
  AsioTimers timers{io};
  SystemRandom random;
  World world{io.get_executor(), clock, timers, random};
  Redactor redactor;
  Log log;
  metrics::Metrics metrics;
  MetricsBridge bridge;
  Ports ports;

 private:
  template <class T>
  static Async<void> keep(Async<T> story, std::optional<T>& result, boost::asio::io_context& io) {
    result = co_await std::move(story);
    io.stop();
  }
};

}  // namespace agentd::host
