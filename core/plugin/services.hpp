// What instances are given by the host: everything a plugin can reach of the world outside.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "core/base/async.hpp"
#include "core/port/cleaner.hpp"
#include "core/port/http.hpp"

namespace boost::asio {
class io_context;
}

namespace agentd::plugin {

enum class LogLevel { debug, info, warn, error };

// Any thread.
class MetricsSink {
 public:
  enum class Kind { counter, gauge };
  virtual ~MetricsSink() = default;
  // A handle, 0 when the name is bad or a bound is reached; the same name again gives the same handle.
  virtual std::uint64_t declare(const std::string& component, const std::string& instance, Kind kind, std::string name, std::string help) = 0;
  virtual void add(std::uint64_t metric, double value) = 0;
  virtual void set(std::uint64_t metric, double value) = 0;
};

// Borrowed; each outlives the instances. What is left out is absent for plugins.
struct Services {
  std::function<void(LogLevel, std::string_view instance, std::string_view text)> log;  // any thread
  port::HttpClient* http = nullptr;
  MetricsSink* metrics = nullptr;
  boost::asio::io_context* io = nullptr;  // watches descriptors
  std::filesystem::path kv_folder;        // a folder per instance is made in it, 0700
  const port::Cleaner* cleaner = nullptr;  // of what models are told of tools; null: nothing is secret
};

// How long a plugin is waited for.
struct Patience {
  Millis create{30'000};
  Millis destroy{10'000};
  Millis grace{800};    // after a deadline or a cancel, for the answer to it: who cancels a run is answered within a second
};

}  // namespace agentd::plugin
