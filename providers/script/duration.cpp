#include "duration.hpp"

#include <charconv>

namespace agentd::script {

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view unit(read.ptr, static_cast<std::size_t>(text.data() + text.size() - read.ptr));
  const int64_t factor = unit == "ms" ? 1 : unit == "s" ? 1000 : unit == "m" ? 60'000 : 0;
  if (read.ec != std::errc() || factor == 0 || value < 0 || value > 3'600'000 / factor) return std::nullopt;
  return std::chrono::milliseconds(value * factor);
}

}  // namespace agentd::script
