// A length of time in settings and arguments, as people write it: "250ms" "30s" "5m" "1h" "7d", or a number of seconds.
#pragma once
#include <agentd/sdk/types.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

namespace agentd::sdk {

struct Duration {
  std::chrono::milliseconds value{0};
  operator std::chrono::milliseconds() const { return value; }
};

template <>
struct Type<Duration> {
  static void schema(std::string& out) { out += R"("type":["string","number"])"; }
  static Duration read(Json json) {
    constexpr double kMost_s = 86400.0 * 10000;
    if (json.kind() == Json::Kind::number) {
      const double seconds = json.number();
      if (seconds < 0 || seconds > kMost_s) json.mismatch("a length of time of up to 10,000 days");
      return {std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000))};
    }
    const std::string text = json.string();
    const auto digits = text.find_first_not_of("0123456789");
    const std::string unit = digits == text.npos ? "" : text.substr(digits);
    const int64_t factor = unit == "ms" ? 1 : unit == "s" ? 1000 : unit == "m" ? 60'000 : unit == "h" ? 3'600'000 : unit == "d" ? 86'400'000 : 0;
    int64_t count = 0;
    if (digits == 0 || factor == 0 || !detail::parse_integer(std::string_view(text).substr(0, digits), count) || count > static_cast<int64_t>(kMost_s * 1000) / factor) {
      json.mismatch("a length of time such as \"30s\": a number and one of ms, s, m, h, d");
    }
    return {std::chrono::milliseconds(count * factor)};
  }
  // In the largest unit that it is a whole number of.
  static void write(std::string& out, Duration duration) {
    const int64_t ms = duration.value.count();
    const auto in = [ms](int64_t factor, const char* unit) { return ms % factor == 0 ? std::to_string(ms / factor) + unit : std::string(); };
    std::string text = ms == 0 ? "0s" : in(86'400'000, "d");
    for (const auto& [factor, unit] : {std::pair<int64_t, const char*>(3'600'000, "h"), {60'000, "m"}, {1000, "s"}, {1, "ms"}}) {
      if (text.empty()) text = in(factor, unit);
    }
    write_string(out, text);
  }
};

}  // namespace agentd::sdk
