// One run in the hands of a worker: recall, complete, call tools, remember; every step durable before anything acts on it.
#pragma once
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/async.hpp"
#include "core/event/unread.hpp"
#include "core/port/cleaner.hpp"
#include "core/port/ledger_sharing.hpp"
#include "core/run/agent.hpp"
#include "core/run/control.hpp"
#include "core/run/replay.hpp"
#include "core/run/state.hpp"
#include "core/tool/call.hpp"

namespace agentd::run {

// A model call that somebody may want to hear while it goes on.
struct Speaker {
  std::string agent_id, run_id, session_id;
  int step = 0;
};
using Listener = std::function<void(const port::Delta&)>;

// A run that ends: what those who follow its agent are told.
struct RunEnd {
  const std::string& agent_id;
  RunId run;
  port::RunStatus status{};
  std::string_view result;  // JSON; empty: there is none
  bool nothing_new = false;  // the agent said that it has nothing to report
  int earlier_ends = 0;  // attempts that it had when a person let it begin again; 0: it has not ended before
  const manifest::AgentSpec* spec = nullptr;  // the run's own revision; null: it cannot be had
  std::string traceparent = {};  // as it was asked for with
};

// What runs are given beside their agent; outlives them.
struct Surroundings {
  World world;
  port::Ledger& ledger;
  AgentSource& agents;
  const port::Cleaner& cleaner;
  std::function<void(const std::string&)> warn;  // for the host's log; never empty
  event::Unread* unread = nullptr;               // who hears of records need not read them; null: nobody does
  std::function<Listener(Speaker)> listener = {};  // empty, or gives an empty one: nobody listens, so nothing is streamed
  // The runs that this end starts, as entries: they come in with it, as one unit. Empty: nobody follows anybody.
  std::function<std::vector<port::Entry>(const RunEnd&)> followers = {};
  // Who is to be told of this end. Empty: nobody is ever told.
  std::function<std::vector<event::Recipient>(const RunEnd&)> recipients = {};
  bool dry_run = false;                          // tools that are not pure, or need a person, are answered "dry run"
  const port::LedgerSharing* sharing = nullptr;  // other processes run what this ledger holds, too; null: none does
  bool can_ask = true;                           // false: there is nobody to ask, so a call that needs a person is denied
};

// From a claim to its end, its wait or its release. The engine thread only; lives until story has ended, which it does whatever
// happens: a ledger that cannot write is waited for, one that fails ends it without another write.
class Run {
 public:
  Run(const Surroundings& around, port::Claim claim) : around_(around), claim_(std::move(claim)) {}
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  Async<void> story();  // once
  // After the story. Where the run was lost, gives up the claim that nobody works on any more.
  Async<void> hand_back();
  Control& control() { return control_; }

 private:
  struct Fate {  // what a transition makes of the run; nothing: it goes on
    std::optional<port::RunStatus> next;
    Instant due{};
    std::optional<std::string> agent_state;
    std::string error;
    std::vector<port::Entry> follow_ups = {};
  };
  enum class Hold { none, draining, closed, refused, over_budget };  // why no further model call is planned
  struct Finished {
    int index;
    tool::Reply reply;
  };

  // begin.cpp: from the claim to the Started record
  Async<Result<AgentRef>> find_agent();
  Async<bool> rebuild();
  Async<Result<State>> rebuild_replay(std::vector<port::StoredRecord> records);
  Async<void> begin();
  event::Started next_start();
  Async<Result<void>> recall(event::Started& started);
  Async<Result<void>> recall_once(event::Started& started);
  memory::Reader reader_of_memory();
  void arm(Millis active);
  void rest();
  Millis active() const;            // of the attempt, by a clock that nobody sets
  Millis remaining() const;

  // model_step.cpp
  Async<void> converse();
  Async<void> ask_model();
  Async<void> take_answer(port::Answer answer, Millis duration);
  Async<void> take_model_error(port::ModelError error, Millis duration);
  std::optional<event::ModelCall> lost_call() const;
  Async<bool> wait_for_endpoint();
  std::optional<event::ModelCall> plan_call(int step, const event::Totals& used, const budget::Unsaid& unsaid, int repeats);
  std::optional<event::Fault> beyond_limits(event::Totals used, const budget::Unsaid& unsaid, int step) const;
  Async<void> leave_on_hold();
  void add_calls(event::Answered& answered, const std::vector<port::ToolRequest>& calls) const;

  // tool_step.cpp
  Async<void> call_tools();
  Async<void> find_out_lost_calls();
  void launch(int index);
  static Async<void> drive(Run& run, int index, tool::Request request);
  Async<void> next_finished();
  Async<void> record_finished();
  event::CallStart start_of(int index) const;
  void add_next_starts(std::vector<event::CallStart>& starts) const;
  std::optional<tool::Request> request_of(int index);
  int repeats_with(const std::vector<event::Body>& finished) const;

  // people_step.cpp: what the step at hand needs a person for
  bool needs_person(const event::CallAsked& asked) const { return asked.asks && !around_.dry_run; }
  bool may_start(const Call& call) const { return !call.started && !call.finished && (call.permitted || !needs_person(call.asked)); }
  event::Question question_of(int index) const;
  Async<void> close_questions();
  void take_answers_of_people();
  Async<void> ask_people();

  // native.cpp
  Async<void> perform_task();
  bool is_gated() const;
  Async<void> ask_gate();           // after it the gate has let the run pass, or done_
  using StatePart = std::string (*)(std::string_view kept);
  Async<std::optional<port::Outcome>> perform(port::Task& task, std::string call_id, std::string params, StatePart own);
  Async<void> fail_task(port::Outcome outcome);

  // digest.cpp: runs for memory
  void add_digests(const event::Ended& ended, std::vector<port::Entry>& follow_ups) const;
  Async<Result<void>> gather(event::Started& started);
  Async<Result<void>> keep_digest(std::string answer);

  // end.cpp: the ways out; each sets done_
  Async<void> finish(std::optional<event::Answered> answer, event::Json result);
  Async<Result<void>> remember(event::Json answer);
  Async<void> end(event::Ended ended, std::optional<std::string> agent_state, std::vector<event::Body> before = {});
  Async<std::optional<std::string>> state_to_keep(std::optional<std::string> task);
  Async<void> fail_attempt(std::vector<event::Body> before, event::Fault fault, std::optional<Millis> retry_after);
  Async<void> wait(std::vector<event::Body> before, event::Waiting waiting);
  Async<void> release(std::string reason);
  Async<void> end_interrupted();
  Async<void> end_replay();

  // holds.cpp: what model calls hold of the budgets of a day
  using Said = std::vector<event::Decoded>;
  void account_for(const Said& said, port::Transition& transition) const;
  std::optional<budget::Exhausted> lacking(const port::Transition& refused) const;
  void plan_no_call(Said& said, const port::Transition& refused);
  Async<void> leave_over_budget();

  // ledger.cpp
  // True when durable and applied to the state. Suspends while the ledger cannot write; false: this worker has lost the run.
  Async<bool> write(std::vector<event::Body> bodies, Fate fate);
  port::Transition transition_of(const Said& said, const Fate& fate) const;
  Async<port::LedgerResult<Position>> commit(const Said& said, const Fate& fate);
  Async<port::LedgerResult<Position>> commit_in_the_end(const Said& said, const Fate& fate, port::LedgerError error);
  Async<port::LedgerResult<std::vector<port::StoredRecord>>> load(RunId run);
  Async<port::LedgerResult<std::string>> agent_state();
  Async<bool> wait_for_ledger(int tries);
  // Before everything that is begun outside. False: the run may be another worker's by now, or was told to end.
  Async<bool> may_begin();
  void lose(const std::string& why);

  const Surroundings& around_;
  port::Claim claim_;
  Control control_;
  AgentRef agent_;
  State state_;
  std::unique_ptr<Replay> replay_;  // of a run that is one
  std::string session_;             // as records name it; empty: like the agent
  std::string memory_session_;      // empty: nothing outlives the run
  std::string kept_state_;          // the agent's, as it was read; empty: it was not
  bool done_ = false;
  Timers::Id alarm_ = 0;
  std::optional<Tick> until_;       // of the alarm
  Millis active_{0};                // before active_since_
  std::optional<Tick> active_since_;  // nothing: it rests

  bool taken_up_ = false;           // by this worker's Started record
  bool asking_ = false;             // a model call was sent, and what came of it is in no record

  Hold hold_ = Hold::none;
  Millis closed_for_{0};
  std::optional<event::Fault> refusal_;
  Instant window_turns_{};          // with over_budget
  bool waits_in_vain_ = false;      // likewise: no window has room for this call

  std::vector<int> launched_;       // calls of the step at hand
  int in_flight_ = 0;
  std::vector<int> lost_calls_;     // `once` calls that an earlier worker began and did not see end
  std::deque<Finished> finished_;
  std::optional<Promise<bool>> waiting_for_tool_;
  std::vector<int> undone_;         // stopped before they happened, by a release
  std::optional<event::Fault> tool_fault_;
};

}  // namespace agentd::run
