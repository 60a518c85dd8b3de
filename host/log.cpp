#include "host/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <cstdlib>

#include "core/base/json_text.hpp"
#include "core/base/plain_text.hpp"

namespace agentd::host {
namespace {

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug: return spdlog::level::debug;
    case Level::info: return spdlog::level::info;
    case Level::warn: return spdlog::level::warn;
    case Level::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

// As the configuration writes them.
const char* name(Level level) {
  switch (level) {
    case Level::debug: return "debug";
    case Level::info: return "info";
    case Level::warn: return "warn";
    case Level::error: return "error";
  }
  return "info";
}

spdlog::sink_ptr make_sink(bool json) {
  const char* no_colour = std::getenv("NO_COLOR");
  if (json || (no_colour != nullptr && *no_colour != '\0')) return std::make_shared<spdlog::sinks::stderr_sink_mt>();
  return std::make_shared<spdlog::sinks::stderr_color_sink_mt>();  // colours on a terminal only
}

}  // namespace

Log::Log(const manifest::LogSection& settings, const Redactor& redactor) : settings_(settings), redactor_(redactor) {
  const bool json = settings_.format == "json";
  out_ = std::make_unique<spdlog::logger>("agentd", make_sink(json));
  out_->set_level(spdlog::level::trace);  // write() decides
  out_->flush_on(spdlog::level::trace);
  const char* pattern = json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ",%v})" : "%Y-%m-%dT%H:%M:%S.%eZ %^%-7l%$ %v";
  out_->set_formatter(std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc));
}

Log::~Log() = default;

bool Log::shows(Level level, std::string_view component) const {
  const auto own = settings_.levels.find(std::string(component));
  const auto& least = own == settings_.levels.end() ? settings_.level : own->second;
  return to_spdlog(level) >= spdlog::level::from_str(least);
}

void Log::write(Level level, std::string_view component, std::string_view message) const {
  if (!shows(level, component)) return;
  const auto text = redactor_.cleaned(to_utf8(message));
  if (settings_.format == "json") {
    out_->log(to_spdlog(level), spdlog::string_view_t("\"level\":\"" + std::string(name(level)) + "\",\"component\":" + json_string(component) + ",\"message\":" + json_string(text)));
    return;
  }
  std::string line(component);
  line += ": ";
  const auto plain = plain_text(text, "\n");
  for (std::size_t i = 0; i < plain.size(); ++i) {
    line += plain[i];
    if (plain[i] == '\n' && i + 1 < plain.size() && plain[i + 1] != ' ') line += "  ";  // what a stranger says begins no line
  }
  out_->log(to_spdlog(level), spdlog::string_view_t(line));
}

}  // namespace agentd::host
