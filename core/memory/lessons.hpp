// What a run leaves for later ones: facts, and how its task was done well.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.hpp"
#include "core/memory/places.hpp"

namespace agentd::memory {

struct Lesson {
  port::MemoryType type = port::MemoryType::long_term;
  std::string text;
};

// What a model answers to the schema, of the types that are wanted.
std::string lessons_schema(const std::vector<std::string>& types);
std::vector<Lesson> read_lessons(std::string_view json);

struct Learner {
  std::string agent_id;
  std::string run;                 // that the lessons are of
  std::vector<std::string> known;  // ids of the memories that it was given: they were of use
  Instant now{};
  Millis timeout{10'000};          // of each operation
  std::stop_token stop = {};
  std::function<Async<bool>()> may_write = {};  // asked before each write, which others may have taken over by then; none: it may
};

// A lesson that says what a learned memory of its type says already takes that one's place; what a person or the agent itself wrote down stays
// as it is, and such a lesson is dropped. The same is what has the same words in the same order, or nearly the same meaning where there are
// vectors, and the same numbers. Of each type at most 1,000 are kept: beyond them those go that the fewest runs were given, though never the newest 100. Done
// again for the same run, it changes nothing.
Async<Result<void>> learn(Stores stores, Learner learner, std::vector<Lesson> lessons);

}  // namespace agentd::memory
