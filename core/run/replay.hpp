// A run that is done again beside its record: what it begins with, what its tools are answered, and where it first goes another
// way.
#pragma once
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/event/record.hpp"
#include "core/port/ledger.hpp"
#include "core/run/state.hpp"

namespace agentd::run {

// What a run's records have of it that a replay needs. Of one that a person let begin again: from there on.
class Recording {
 public:
  struct Call {
    std::string tool, arguments_hash;
    event::Json arguments;
    std::optional<event::ToolOutcome> outcome;  // nothing: the run ended before the call did
    event::Json content;                        // what the model was told
  };
  struct Step {
    event::Json text;
    port::FinishReason finish_reason = port::FinishReason::stop;
    std::vector<Call> calls;
  };

  // All records of a run, the entry first. The error says why it cannot be replayed.
  static Result<Recording> read(std::span<const port::StoredRecord> records);
  int first_step() const { return steps_.begin()->first; }
  int last_step() const { return steps_.rbegin()->first; }
  const std::map<int, Step>& steps() const { return steps_; }  // at least one
  const event::Ended& end() const { return end_; }
  // What was said before a step, put into the state of a run that has not begun.
  void tell_until(int step, State& state) const;

 private:
  void take(const event::Body& body);
  void take(const event::Answered& answered);

  std::vector<std::pair<event::Body, Instant>> bodies_;
  std::map<int, Step> steps_;
  event::Ended end_;
};

// Follows from the recording and the replay's own records alone, so that whoever takes the replay up finds what the one before
// had found.
class Replay {
 public:
  Replay(Recording recording, event::Replay how) : recording_(std::move(recording)), how_(std::move(how)) {}

  void begin(State& state) const { recording_.tell_until(how_.from_step, state); }
  bool is_live() const { return how_.live; }

  // Answers from the record what it has an answer to: a call is first looked for at its own step and place, then anywhere in the
  // record, the earliest first, among those that have not answered another one. It fits when tool and arguments are the same;
  // neither spaces nor the order of keys matter. With live tools nothing is answered.
  void answer(event::Answered& answered) const;
  // The model has asked for a call that the record does not answer: the replay cannot go on.
  bool is_at_its_end() const { return is_at_its_end_; }

  // The replay's next record.
  void see(const event::Body& body);
  // The first difference when the replay ends so.
  std::optional<event::Difference> difference(const event::Ended& end) const;

 private:
  using Place = std::pair<int, int>;  // step and index
  std::vector<std::optional<Place>> places_of(int step, const std::vector<event::CallAsked>& calls) const;
  const Recording::Call& at(const Place& place) const {
    return recording_.steps().at(place.first).calls[static_cast<std::size_t>(place.second)];
  }
  std::optional<event::Difference> compare(const event::Answered& answered) const;
  std::optional<event::Difference> compare(const event::ToolFinished& finished) const;
  std::optional<event::Difference> compare_ends(const event::Ended& end) const;

  Recording recording_;
  event::Replay how_;
  std::set<Place> used_;
  std::optional<event::Difference> difference_;
  bool is_at_its_end_ = false;
};

}  // namespace agentd::run
