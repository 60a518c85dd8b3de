// The formats of JSON Schema that are checked. Others are taken for notes, as the specification has it.
#pragma once
#include <optional>
#include <string_view>

namespace agentd::tool {

enum class TextFormat { date, time, date_time };

std::optional<TextFormat> text_format(std::string_view name);
const char* name(TextFormat format);

// Dates and times are those of RFC 3339: a time has its offset, a leap second is taken anywhere.
bool has_format(std::string_view text, TextFormat format);

}  // namespace agentd::tool
