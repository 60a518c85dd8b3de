#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/port/events.hpp"
#include "host/conformance/check.hpp"

namespace agentd::conformance {

// An event store without events, whose operations are waited for.
class EventsBench {
 public:
  virtual ~EventsBench() = default;
  virtual Result<void> append(std::vector<port::Event> events) = 0;
  virtual Result<void> reopen() = 0;  // another instance over what the one before has left
  // Ids in the order they are kept; nothing where nobody but the store can look. So what a store answers is all that it is held to then.
  virtual std::optional<std::vector<std::string>> kept() { return std::nullopt; }
};

port::Event event(int position, std::string payload = "{}", int sub_index = 0);

// Each wants a store of its own.
std::span<const Check<EventsBench>> events_checks();

}  // namespace agentd::conformance
