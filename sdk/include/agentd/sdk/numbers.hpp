// Numbers between text and C++, whatever the standard library and the user's locale.
#pragma once
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>

#include <locale.h>
#if defined(__APPLE__)
#include <xlocale.h>
#endif

// libc++ before 20 has no from_chars for doubles, libstdc++ before 11 has neither direction.
#ifndef AGENTD_SDK_FROM_CHARS_DOUBLE
#if defined(__cpp_lib_to_chars) && __cpp_lib_to_chars >= 201611L
#define AGENTD_SDK_FROM_CHARS_DOUBLE 1
#else
#define AGENTD_SDK_FROM_CHARS_DOUBLE 0
#endif
#endif
#ifndef AGENTD_SDK_TO_CHARS_DOUBLE
#if AGENTD_SDK_FROM_CHARS_DOUBLE || (defined(_LIBCPP_VERSION) && _LIBCPP_VERSION >= 14000)
#define AGENTD_SDK_TO_CHARS_DOUBLE 1
#else
#define AGENTD_SDK_TO_CHARS_DOUBLE 0
#endif
#endif
#if !AGENTD_SDK_TO_CHARS_DOUBLE
#include <locale>
#include <sstream>
#endif

namespace agentd::sdk::detail {

// strtod follows the user's locale: it reads "1.5" as 1 where the decimal point is a comma.
inline double parse_double_in_c_locale(const std::string& text) {
#if defined(_WIN32)
  static const _locale_t c = _create_locale(LC_ALL, "C");
  return _strtod_l(text.c_str(), nullptr, c);
#else
  static const locale_t c = newlocale(LC_ALL_MASK, "C", nullptr);
  return strtod_l(text.c_str(), nullptr, c);
#endif
}

inline bool is_finite(double value) { return value - value == 0; }

// `text` fits JSON's grammar of numbers. False when the number is too large for a double; one too small is 0.
inline bool parse_double(std::string_view text, double& value) {
#if AGENTD_SDK_FROM_CHARS_DOUBLE
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec == std::errc()) return true;  // out of range does not tell too large from too small: ask again below
#endif
  value = parse_double_in_c_locale(std::string(text));
  return is_finite(value);
}

template <class T>
bool parse_integer(std::string_view text, T& value) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec == std::errc() && parsed.ptr == text.data() + text.size()) return true;
  if (text.find_first_of(".eE") == text.npos && text != "-0") return false;
  constexpr double kExact = 9007199254740992.0;  // 2^53: beyond it a double no longer tells neighbours apart
  double d = 0;
  if (!parse_double(text, d) || d <= -kExact || d >= kExact) return false;
  if (d < static_cast<double>(std::numeric_limits<T>::lowest()) || d > static_cast<double>((std::numeric_limits<T>::max)())) return false;
  value = static_cast<T>(d);
  return static_cast<double>(value) == d;
}

// The shortest text that reads back as the same number. `value` is finite.
template <class T>
void append_number(std::string& out, T value) {
#if AGENTD_SDK_TO_CHARS_DOUBLE
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  out.append(buffer, end);
#else
  std::ostringstream stream;
  stream.imbue(std::locale::classic());
  for (int digits = std::numeric_limits<T>::digits10; digits <= std::numeric_limits<T>::max_digits10; ++digits) {
    stream.str("");
    stream.precision(digits);
    stream << value;
    if (static_cast<T>(parse_double_in_c_locale(stream.str())) == value) break;
  }
  out += stream.str();
#endif
}

}  // namespace agentd::sdk::detail
