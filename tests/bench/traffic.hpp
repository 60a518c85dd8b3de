// What a run of two model calls and one tool call sends.
#pragma once
#include <string>

namespace agentd::bench {

// The request's body for the first or the second call of a run.
std::string request_body(bool second, bool stream);

}  // namespace agentd::bench
