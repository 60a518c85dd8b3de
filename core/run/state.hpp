// The state of a run: the fold of its records. A live run applies each record it has committed to the same state with the same
// function, so what a worker knows and what the next one would rebuild are one thing.
#pragma once
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/budget/limits.hpp"
#include "core/event/record.hpp"
#include "core/port/ledger.hpp"
#include "core/port/provider.hpp"
#include "core/run/repetition.hpp"

namespace agentd::run {

// With it an agent says that there is nothing to report. It counts only behind another call that did its work: who has looked at nothing
// cannot know.
inline constexpr std::string_view kNothingNew = "report.nothing_new";

// A call of the last answer.
struct Call {
  event::CallAsked asked;
  bool started = false;              // the intent is durable
  bool finished = false;
  bool unsure = false;               // it has ended, nobody knows how, and a person says whether the run goes on
  bool put_to_people = false;        // its question has been asked
  std::optional<event::Decided> decision;  // the first; its question's arguments are left out
  bool permitted = false;            // a person has approved it, with these arguments
  event::Json content;               // with finished or unsure: what the model is told
};
inline bool is_under_way(const Call& call) { return call.started && !call.finished && !call.unsure; }

// What came before a person let the run begin again: it counts in what the run came to, and in no limit.
struct Past {
  int attempts = 0, steps = 0;
  event::Totals totals;
};

struct State {
  RunId run;
  std::string name;                  // the run's id as text
  std::string session;               // as its records name it
  event::Entered entry;
  Instant entered_at{};              // or when it was let begin again

  bool started = false;              // it has a Started record, so the first messages are there
  bool held = false;                 // a worker had it when the last record was written
  bool released = false;             // it was given back, and nobody has taken it up since
  bool attempt_spent = false;        // the attempt has failed; the next one begins with the next Started
  bool ended = false;
  int attempt = 1, crashes = 0;
  std::int64_t run_count = 0;
  std::optional<Instant> first_started;

  std::string query;                 // in force, with params
  std::string params;
  std::optional<event::Gated> gate;  // what it said
  std::vector<port::Message> messages = std::vector<port::Message>(1);  // the first is the system instruction's place, for the worker to fill
  int step = 0;                      // of the last answer
  std::vector<Call> calls;           // of the last answer, while one of them is open
  std::optional<event::ModelCall> calling;  // started, not answered
  int tries = 0;                     // failed ones of the model call at hand
  int notes = 0;                     // answers in a row that the engine did not take
  event::Json final_text;            // a final answer that is journalled while the run has not ended
  std::vector<std::string> succeeded;   // tools that did their work at least once
  bool summary_due = false;          // of its session
  std::int64_t digested_until = 0;   // of a run for memory
  bool nothing_new = false;          // the agent says that there is nothing to report
  Repetition repetition;             // of its steps
  event::Totals totals;
  Past past;
  budget::Unsaid unsaid;             // an estimate of the tokens that no endpoint named

  Millis active{0};                  // of the attempt, before the current worker
  Instant taken_at{}, last_at{};     // the current worker's Started; the latest record
};

// How long the attempt that a worker takes up has been active.
Millis active_before(const State& state);

// One record more. A record that makes no sense where it stands is taken as far as it goes.
void apply(State& state, event::Body body, Instant at);

// An estimate of the tokens of an answer to the state's messages, so far as its endpoint named none; without an answer, of one that
// was lost. The system instruction is left out: records do not hold it, so that whoever takes the run up would count otherwise.
budget::Unsaid unsaid(const State& state, const event::Answered& answered);
budget::Unsaid unsaid(const State& state);

// Records of a run behind its entry, in order; each is shown before it is applied.
Result<void> apply_all(State& state, std::span<const port::StoredRecord> records, const std::function<void(const event::Body&)>& see = {});

// All records of a run, the entry first.
Result<State> fold(std::span<const port::StoredRecord> records);

// Whether a run has ended and nobody has let it begin again. All its records.
bool has_ended(std::span<const port::StoredRecord> records);

// Of a run that has only its entry.
Result<State> fresh(RunId run, std::string_view entry_payload, Instant entered_at);

}  // namespace agentd::run
