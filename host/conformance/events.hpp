#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/port/events.hpp"
#include "host/conformance/check.hpp"

namespace agentd::conformance {

// An event store whose operations are waited for. It has no events, or those of the checks before alone.
class EventsBench {
 public:
  virtual ~EventsBench() = default;
  virtual Result<void> append(std::vector<port::Event> events) = 0;
  virtual Result<void> reopen() = 0;  // another instance over what the one before has left
  virtual int before() const { return 0; }  // positions that it has had already
  // Ids in the order they are kept; nothing where nobody but the store can look. So what a store answers is all that it is held to then.
  virtual std::optional<std::vector<std::string>> kept() { return std::nullopt; }
};

port::Event event(int position, std::string payload = "{}", int sub_index = 0);

// Each uses fewer than so many positions, and the same ones when it comes again.
inline constexpr int kPositionsOfACheck = 2'000;
std::span<const Check<EventsBench>> events_checks();

}  // namespace agentd::conformance
