// The spellings in which a secret turns up in text.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace agentd::host {

struct Form {
  std::string text;
  bool is_word = false;       // counts only where no letter, digit or "_" stands beside it
  bool shares_first = false;  // in base64: the character before it holds a part of the secret too
  bool shares_last = false;   // the same of the character after it
};

// As it is, JSON-escaped as the usual encoders do it (once, and our way twice), percent-encoded, and in base64: both alphabets,
// all three alignments, padded or not. Of a URL its password too, of "Bearer X" also X. White space around the value is no part
// of it. A value shorter than manifest::kShortSecret is looked for as a word of its own: inside of words it would take innocent
// text with it.
std::vector<Form> forms_of(std::string_view secret);

}  // namespace agentd::host
