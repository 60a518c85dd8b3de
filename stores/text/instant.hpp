#pragma once
#include <cstdint>
#include <string>

namespace agentd::stores {

// As people read it: "2026-01-31T08:00:00.000Z". ms: since 1970 UTC.
std::string instant_text(std::int64_t ms);

}  // namespace agentd::stores
