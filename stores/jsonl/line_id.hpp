// What tells a line of ours from everything else: {"id":"0000000000000001-0", ... }
#pragma once
#include <string_view>

namespace agentd::jsonl {

// The id that a line of ours begins with; empty: nobody of us wrote it. Of a line without its end as well.
std::string_view id_of(std::string_view line);
// One of ours, written to its end.
bool is_whole(std::string_view line);
// Whether one of ours may begin so: the text of a line that was not written to its end.
bool may_begin(std::string_view text);
// In commit order: a position's 16 digits, then the number of the event within its record, which has no leading zeros.
bool is_before(std::string_view id, std::string_view other);

}  // namespace agentd::jsonl
