// What somebody asks for with POST /v1/runs/{id}/replay.
#pragma once
#include <functional>
#include <string>
#include <variant>

#include "core/event/record.hpp"
#include "host/api/message.hpp"

namespace agentd::api {

struct ReplayRequest {
  event::Replay how;  // of: left to who asks
  std::string key;    // empty: none
};

// What the record has, and why a provider cannot be asked; "": it can.
struct Replayable {
  int first_step = 1, last_step = 1;
  std::function<std::string(const std::string& provider)> unusable;
};

// {"model", "from_step", "live", "key"}, each of which may be left out, and the Idempotency-Key; or a problem that tells
// everything that is wrong with them at once. A model is MODEL, of the run's own provider, or PROVIDER/MODEL.
std::variant<ReplayRequest, Document> read_replay_request(const Request& request, const Replayable& record);

}  // namespace agentd::api
