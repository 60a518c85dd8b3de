// The host's log: to standard error, a line per message, a level per component, secrets taken out.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "core/manifest/host_config.hpp"
#include "host/redactor.hpp"

namespace spdlog {
class logger;
}

namespace agentd::host {

enum class Level { debug, info, warn, error };

// Any thread.
class Log {
 public:
  Log(const manifest::LogSection& settings, const Redactor& redactor);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void write(Level level, std::string_view component, std::string_view message) const;
  void debug(std::string_view component, std::string_view message) const { write(Level::debug, component, message); }
  void info(std::string_view component, std::string_view message) const { write(Level::info, component, message); }
  void warn(std::string_view component, std::string_view message) const { write(Level::warn, component, message); }
  void error(std::string_view component, std::string_view message) const { write(Level::error, component, message); }
  bool shows(Level level, std::string_view component) const;

 private:
  const manifest::LogSection settings_;
  const Redactor& redactor_;
  std::unique_ptr<spdlog::logger> out_;
};

}  // namespace agentd::host
