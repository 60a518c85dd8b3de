// The messages of an agent's session: which of them a run reads back, and which a running summary stands for.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/event/json_fields.hpp"
#include "core/manifest/agent_spec.hpp"
#include "core/memory/places.hpp"
#include "core/port/memory.hpp"

namespace agentd::memory {

// A text of n bytes is taken for n / 4 tokens, or as the model's rate has it, rounded up, and 4 for the message around it.
std::int64_t estimated_tokens(std::string_view message, double bytes_per_token = TokenRate::kUsual);

// The newest of `messages` (newest first) that fit the window, oldest first, beginning with a message of the user's. One that takes more
// than half of the tokens is shortened.
std::vector<event::Json> window(std::vector<port::MemoryEntry> messages, std::int64_t window_tokens, double bytes_per_token = TokenRate::kUsual);

// Of every message up to a position of the store's. One that is made of it and of what came after takes its place.
struct Summary {
  std::string text;
  std::uint64_t until = 0;
  std::vector<std::uint64_t> steps;  // where the summaries before it ended, oldest first: the messages before all of them are given up
};

struct Past {
  std::vector<event::Json> messages;  // for the conversation, oldest first: the summary, then the window and what waits to be summarized
  bool summary_due = false;           // with one more exchange, what no summary holds yet is more than a window
};

// The last how.window messages, as far as how.window_tokens go, whatever a summary says; between it and them what no summary holds yet, to
// as many again of either.
Async<Result<Past>> read_session(port::MemoryStore& store, const manifest::Memory& how, const Reader& reader);

// What a summary is to be made of, where one is due: all that no summary holds yet but the newer half of a window.
struct Unsummarized {
  std::string material;     // the summary so far and the messages behind it, as a model is given them; empty: there is nothing to do
  std::uint64_t until = 0;  // the last of them
};
Async<Result<Unsummarized>> unsummarized(port::MemoryStore& store, const manifest::Memory& how, const Reader& reader);

// Takes the place of the summary that was there, and gives up messages that were summarized long ago. Done again it changes nothing.
Async<Result<void>> keep_summary(port::MemoryStore& store, const Reader& writer, std::string text, std::uint64_t until, Instant now);

}  // namespace agentd::memory
