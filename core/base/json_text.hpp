// JSON as text: for records and messages that are kept serialised and never parsed only to be printed again.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace agentd {

// Appends text as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);
std::string json_string(std::string_view text);

// True for one valid JSON document in UTF-8, at most `depth` deep, without duplicate keys.
bool is_json(std::string_view text, int depth = 64);

// Cuts at a character's border so that at most max_bytes are left.
std::string_view clip_utf8(std::string_view text, std::size_t max_bytes);

// What is not UTF-8 becomes U+FFFD.
std::string to_utf8(std::string_view bytes);

}  // namespace agentd
