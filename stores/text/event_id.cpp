#include "event_id.hpp"

namespace agentd::stores {
namespace {

constexpr std::size_t kPosition = 16;

bool all_of(std::string_view text, std::string_view allowed) { return text.find_first_not_of(allowed) == std::string_view::npos; }

}  // namespace

bool is_event_id(std::string_view text) {
  return text.size() > kPosition + 1 && text[kPosition] == '-' && all_of(text.substr(0, kPosition), "0123456789abcdef") &&
         all_of(text.substr(kPosition + 1), "0123456789");
}

bool is_before(std::string_view id, std::string_view other) {
  const auto position = id.substr(0, kPosition), other_position = other.substr(0, kPosition);
  if (position != other_position) return position < other_position;
  return id.size() != other.size() ? id.size() < other.size() : id < other;
}

}  // namespace agentd::stores
