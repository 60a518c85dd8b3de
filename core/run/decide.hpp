// What runs ask of people, and how an answer gets into the ledger.
#pragma once
#include <expected>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/base/async.hpp"
#include "core/event/record.hpp"
#include "core/port/cleaner.hpp"
#include "core/port/ledger.hpp"

namespace agentd::run {

// A question in a run's records, and what has become of it.
struct Asked {
  event::Question question;
  Instant asked_at{}, until{};
  bool open = true;                        // false without a decision: the run has been taken up, or has ended
  std::optional<event::Decided> decision;  // the first
  Instant decided_at{};
};
// All that a run has asked, in order.
std::vector<Asked> questions_of(std::span<const port::StoredRecord> records);

// "run/step/index"
struct CallPlace {
  RunId run;
  int step = 0, index = 0;
  friend auto operator<=>(const CallPlace&, const CallPlace&) = default;
};
std::optional<CallPlace> parse_call_id(std::string_view text);

struct Word {
  bool approve = false;
  std::string by, reason;
  std::string arguments_hash;  // of what the person was shown; empty: not said
};

struct NoDecision {
  enum class Why {
    unknown,          // no such question was ever asked
    decided,          // somebody was faster, or nobody was in time
    over,             // the run waits for it no more
    other_arguments,  // than the person was shown
    busy,             // ask again
  } why = Why::unknown;
  std::string message;
};

// The engine thread only; outlives what it is asked. Decisions about one run are made one after the other. The run is due again
// with the last of its questions, so that no answer comes while a worker has it, and a step that needs two people begins when
// both have spoken.
class Decisions {
 public:
  Decisions(World world, port::Ledger& ledger, const port::Cleaner& cleaner)
      : world_(world), ledger_(ledger), cleaner_(cleaner) {}
  Decisions(const Decisions&) = delete;
  Decisions& operator=(const Decisions&) = delete;

  // Answers when the decision is durable. The first one of a question stands.
  Async<std::expected<Asked, NoDecision>> decide(CallPlace call, Word word);

 private:
  class Turn;
  Async<void> wait_for_turn(RunId run);
  Async<std::expected<Asked, NoDecision>> decide_in_turn(CallPlace call, Word word);

  World world_;
  port::Ledger& ledger_;
  const port::Cleaner& cleaner_;
  std::set<RunId> busy_;
  std::multimap<RunId, Promise<bool>> waiting_;
};

}  // namespace agentd::run
