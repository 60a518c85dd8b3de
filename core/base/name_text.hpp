// Names that people and integrators give: keys, session ids.
#pragma once
#include <string_view>

namespace agentd {

// Why the text cannot be a name, completing "it ..."; empty when it can. Whoever shows, stores or logs a control character or
// what is not UTF-8 makes something else of it.
std::string_view unfit_for_a_name(std::string_view text);

}  // namespace agentd
