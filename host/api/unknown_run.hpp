#pragma once
#include <string>

#include "host/api/context.hpp"
#include "host/api/message.hpp"

namespace agentd::api {

// 404 for a run that nobody knows by this id; of a position alone, with the id of the run that came in there.
Async<Document> unknown_run(Context& context, std::string id);

}  // namespace agentd::api
