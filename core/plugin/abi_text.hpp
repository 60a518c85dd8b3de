// Text as it crosses the border.
#pragma once
#include <agentd/abi/base.h>

#include <string_view>

namespace agentd::plugin {

inline agentd_str str(std::string_view text) { return {text.data(), text.size()}; }
inline bool is_sound(agentd_str text) { return text.data != nullptr || text.size == 0; }
inline std::string_view view(agentd_str text) { return text.size ? std::string_view(text.data, text.size) : std::string_view(); }

}  // namespace agentd::plugin
