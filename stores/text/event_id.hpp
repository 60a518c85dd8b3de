#pragma once
#include <string_view>

namespace agentd::stores {

// 16 hexadecimal digits of a position, "-", and the number of the event within its record, which has no leading zeros.
bool is_event_id(std::string_view text);

// In commit order.
bool is_before(std::string_view id, std::string_view other);

}  // namespace agentd::stores
