// What is done within the server, in one step that nobody sees half of: Lua. A script that fails before its first write has done nothing,
// and each begins with what may fail.
#pragma once
#include "command.hpp"

namespace agentd::redis::script {

// KEYS[1]: what every key of the agent begins with. Per agent there are
//   entry:ID            hash: type session text json created position length words
//   all, type:T, session:S, word:T:W    sorted sets of ids by position; a word is in lower case
//   counts              hash: last (position), words (of all entries)
extern const Script kPut;     // per entry: id type session text json created words length; words as " a b a ", length is how many
extern const Script kList;    // type session before limit -> per entry {id type session text json created position}
extern const Script kSearch;  // type session limit phrase... -> the same and score; a phrase is its words with a space between
extern const Script kRemove;  // id type session -> how many

// KEYS[1]: the stream.
extern const Script kAppend;  // the id that the latest event here should have, the most events, then per event 8 values -> 1; 0: another is the latest
extern const Script kLatest;  // -> {id timestamp run_id} of the latest event, or nothing
extern const Script kBack;    // below which entry, how many -> {the last one's entry, {entry id timestamp run_id}...}, newest first
extern const Script kForth;   // the same from an entry on, oldest first

}  // namespace agentd::redis::script
