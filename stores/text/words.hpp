// Words of any language, for a search without an index.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace agentd::stores {

// In lower case (Latin, Greek, Cyrillic), without marks between them. Scripts written without spaces give a word per character.
std::vector<std::string> words_of(std::string_view utf8);

// A query: each part between spaces, as the words that must follow each other. At most 64.
std::vector<std::vector<std::string>> phrases_of(std::string_view query);

}  // namespace agentd::stores
