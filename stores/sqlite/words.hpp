// Text as FTS5's unicode61 tokenizer can index it, whatever the language.
//
// unicode61 splits at spaces and marks, which is right for most scripts and wrong for those written without spaces: a Chinese sentence
// would be one word. FTS5's trigram tokenizer would find parts of any text, but no word of two characters ("東京"), would rank "cat" in
// "concatenate" like a cat, and is three times as large. So characters of such scripts are set apart here, each a word of its own, and a
// query's are looked for as a phrase.
#pragma once
#include <string>
#include <string_view>

namespace agentd::sqlite {

std::string spaced(std::string_view utf8);

// A query's words, any of which may fit, as an FTS5 expression in which nothing of the query is an operator. "" when there are none.
std::string any_word_of(std::string_view query);

// One token for an agent's id, however it is spelled.
std::string agent_token(std::string_view agent_id);

}  // namespace agentd::sqlite
