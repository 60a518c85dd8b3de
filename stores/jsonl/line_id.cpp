#include "line_id.hpp"

#include <agentd/sdk/json.hpp>

#include <algorithm>
#include <string>

#include "stores/text/event_id.hpp"

namespace agentd::jsonl {
namespace {

constexpr std::string_view kBegin = "{\"id\":\"";
constexpr std::size_t kPosition = 16;

bool all_of(std::string_view text, std::string_view allowed) { return text.find_first_not_of(allowed) == std::string_view::npos; }

}  // namespace

std::string_view id_of(std::string_view line) {
  if (!line.starts_with(kBegin)) return {};
  line.remove_prefix(kBegin.size());
  const auto id = line.substr(0, line.find('"'));
  return id.size() < line.size() && stores::is_event_id(id) ? id : std::string_view();
}

bool is_whole(std::string_view line) {
  if (!line.ends_with('\n') || id_of(line).empty()) return false;
  const sdk::Json json(line);
  return json.valid() && json.kind() == sdk::Json::Kind::object;
}

bool may_begin(std::string_view text) {
  const bool nothing = text.find_first_not_of('\0') == std::string_view::npos;  // what a disk leaves of a write that the power ended
  if (nothing || !id_of(text).empty() || kBegin.starts_with(text)) return true;
  return text.starts_with(kBegin) && text.size() <= kBegin.size() + kPosition + 4 && all_of(text.substr(kBegin.size()), "0123456789abcdef-");
}

}  // namespace agentd::jsonl
