// Outcomes of operations as errors of the engine. Private to the room.
#pragma once
#include "core/base/result.hpp"
#include "core/plugin/instance.hpp"
#include "core/port/tool.hpp"

namespace agentd::plugin {

// Stores do not say how long they may take: long enough for a slow disk, short enough to notice.
constexpr Millis kStoreTimeout{30'000};

Error to_error(port::Outcome outcome);  // of one that is not ok
port::Outcome broken_answer(const Instance& instance, std::string what);

}  // namespace agentd::plugin
