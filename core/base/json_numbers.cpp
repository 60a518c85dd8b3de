#include "core/base/json_numbers.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace agentd {
namespace {

// Where the string that begins here ends.
std::size_t end_of_string(std::string_view json, std::size_t at) {
  for (++at; at < json.size() && json[at] != '"'; ++at)
    if (json[at] == '\\') ++at;
  return at + 1;
}

template <class T>
bool holds(std::string_view digits) {
  T value{};
  return std::from_chars(digits.data(), digits.data() + digits.size(), value).ec == std::errc();
}

}  // namespace

std::string_view wide_integer(std::string_view json) {
  for (std::size_t at = 0; at < json.size();) {
    const auto end = std::min(json.find_first_not_of("-+.eE0123456789", at), json.size());
    const auto number = json.substr(at, end - at);
    if (json[at] == '"') {
      at = end_of_string(json, at);
    } else if (json[at] != '-' && (json[at] < '0' || json[at] > '9')) {
      ++at;
    } else if (number.find_first_of(".eE") == number.npos && !holds<std::int64_t>(number) && !holds<std::uint64_t>(number)) {
      return number;
    } else {
      at = end;
    }
  }
  return {};
}

}  // namespace agentd
