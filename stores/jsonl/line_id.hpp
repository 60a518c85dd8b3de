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

}  // namespace agentd::jsonl
