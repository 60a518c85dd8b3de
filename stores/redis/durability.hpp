#pragma once
#include <string>

#include "connection.hpp"

namespace agentd::redis {

// What may become of what is written to this server, in whole sentences; empty: it keeps all it acknowledges, to within its appendfsync.
// Throws Lost.
std::string doubts_about(Connection& connection, Deadline until);

}  // namespace agentd::redis
