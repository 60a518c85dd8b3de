// Events as people see them, and what the engine needs of a store that gets a copy.
#pragma once
#include <string>
#include <vector>

#include "core/base/async.hpp"
#include "core/base/result.hpp"

namespace agentd::port {

struct Event {
  std::string id;
  std::string type;
  std::string agent_id;    // agent_name is the same
  std::string run_id;
  std::string session_id;
  Instant timestamp{};
  std::string payload;     // JSON object
};

// The engine thread only.
class EventStore {
 public:
  virtual ~EventStore() = default;
  // ok: all are kept. After an error the router sends the same events again; the store leaves out ids it has.
  virtual Async<Result<void>> append(std::vector<Event> events) = 0;
};

}  // namespace agentd::port
