// Names of things in the ledger.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace agentd {

// A place in the ledger: follows commit order, without gaps, from 1.
using Position = std::int64_t;

// A run is named by the position of the record that brought it in, and a random nonce, so that an id is never used twice even
// when a ledger goes on from a backup. Text: "742-k3f9q2a" (position, nonce in Crockford's base 32).
struct RunId {
  Position position = 0;  // 0: no run
  std::uint32_t nonce = 0;
  explicit operator bool() const { return position != 0; }
  friend bool operator==(const RunId&, const RunId&) = default;
  friend auto operator<=>(const RunId&, const RunId&) = default;
};
std::string to_text(RunId id);                            // "" for no run
std::optional<RunId> parse_run_id(std::string_view text);

// "run/step/index": the same when a call is made again, never the same for two calls.
std::string call_id(RunId run, int step, int index);

// 16 hex digits of the position, then a sub-index: "00000000000002e6-0". Ids sort in commit order.
std::string event_id(Position position, int sub_index);
struct EventPlace {
  Position position = 0;
  int sub_index = 0;
};
std::optional<EventPlace> parse_event_id(std::string_view text);

}  // namespace agentd

template <>
struct std::hash<agentd::RunId> {
  std::size_t operator()(const agentd::RunId& id) const noexcept { return std::hash<std::int64_t>()(id.position); }
};
