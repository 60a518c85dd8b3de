// Who has seen everything: every record, every request to a model, every tool call. Says at once what must not be.
#pragma once
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/event/record.hpp"
#include "core/manifest/agent_spec.hpp"
#include "core/port/tool.hpp"

namespace agentd::sim {

using Place = std::pair<int, int>;  // of a tool call: step, index

// What an account may come to in one day, and what its model calls really cost, as the world outside knows.
struct Purse {
  std::int64_t window = 0;
  port::Spend limit, raised, paid;
};
using PurseName = std::pair<std::string, std::string>;  // an account, a day

// A run as its records and the world outside know it.
struct RunFacts {
  RunId run;
  std::string agent;
  port::RunStatus entered_as{}, ended_as{};
  bool accepted() const { return !port::is_final(entered_as); }
  bool ended = false, started = false, spent = false, attempt_open = false, gated = false;
  bool of_batch = false, unasked = false, made_up_for = false, aside = false;  // made_up_for: one of all the slots that were missed
  bool in_quarantine() const { return ended && ended_as == port::RunStatus::quarantined; }
  std::size_t records = 0;
  int attempt = 1, deaths = 0;
  int past_attempts = 0;  // before a person let it begin again
  std::int64_t ends = 0, past_requests = 0;
  int planned = 0;  // the model call that the records say is made; 0: none
  std::set<int> answered;
  std::set<Place> intents, finished, approved;
  std::map<std::pair<Place, event::Question::About>, bool> questions;  // that people were asked; whether one is answered
  std::set<Place> open;                                                // those that they may still answer
  // outside
  int asking = 0;                                        // the model call that was sent, and of whose end nothing is written
  std::int64_t requests = 0;                             // those that count for the limit
  std::map<std::int64_t, std::vector<PurseName>> holds;  // by model call
};

// A slot's dispositions; of a stretch of them.
struct Stretch {
  Instant first{}, last{};
  std::int64_t count = 1;
  bool ran = false;  // it became a run, whatever came of that
};

// What a sink is to be told.
struct Tiding {
  int tries = 0;  // that are durable
  bool over = false;
};

class Witness {
 public:
  Witness(const std::vector<manifest::AgentSpec>& agents, NanoDollars host_limit);

  // What must not be; with the first the seed has failed.
  void object(std::string what);
  const std::vector<std::string>& objections() const { return objections_; }

  // ---- records: those that the ledger fed, then those that a new process found
  void see(const port::StoredRecord& record);
  void found(const std::vector<port::StoredRecord>& all);
  const std::deque<port::StoredRecord>& records() const { return records_; }
  // A line a record, with what was noted in between.
  std::vector<std::string> story() const;
  void note(std::string what) { notes_.emplace(records_.size(), std::move(what)); }

  // ---- the world outside
  void model_asked(RunId run, int step);
  void model_refused(RunId run);  // for the account's sake: it need not count
  void model_costs(RunId run, int step, port::Usage usage);
  void model_costs_nothing(RunId run, int step, port::Usage usage);  // after all
  void tool_begins(RunId run, Place place, const std::string& call_id, const port::ToolSpec& tool);
  void tool_did_not_happen(const std::string& call_id) { maybe_done_.erase(call_id); }
  void told(const std::string& event_id);  // the sink has it

  // ---- the process
  void process_died(const std::set<RunId>& held, bool claimed_more);
  void process_left();
  void admitted(const std::string& agent, const std::string& key, const port::Admission& admission);
  void claimed(RunId run);
  void holds(const port::Ledger& ledger, RunId run, const std::vector<port::Hold>& holds);  // they are durable
  // While no run is in flight.
  void expect_nothing_held(const port::Ledger& ledger);
  void cursors_kept(const std::vector<port::Cursor>& cursors);
  void schedule_is_in_force(const std::string& agent, Instant now) { began_.emplace(agent, now); }

  RunFacts* facts(RunId run);
  const std::map<Position, RunFacts>& runs() const { return runs_; }
  const std::map<PurseName, Purse>& purses() const { return purses_; }
  NanoDollars host_limit() const { return host_limit_; }
  bool has_key(const std::string& agent, const std::string& key) const { return keys_.contains({agent, key}); }
  bool has_key_from(const std::string& agent, const std::string& prefix) const {
    const auto found = keys_.lower_bound({agent, prefix});
    return found != keys_.end() && found->first.first == agent && found->first.second.starts_with(prefix);
  }
  const std::vector<Stretch>& slots(const std::string& agent) const { return slots_.at(agent); }
  const std::map<std::string, Instant>& schedules_began() const { return began_; }  // by agent: from when its slots are owed
  std::size_t accepted() const { return accepted_; }
  std::size_t live() const { return live_; }
  std::size_t untold() const { return untold_; }  // that the sink is still to be told
  std::vector<event::Recipient> recipients(const std::string& agent, port::RunStatus status) const;
  const manifest::AgentSpec& spec(const std::string& agent) const { return *specs_.at(agent); }
  // Every run that began has an end, and every call.
  void expect_all_over();

 private:
  void take(const port::StoredRecord& record, event::Entered& entered);
  void take(RunFacts& run, const event::Started& started);
  void take(RunFacts& run, const event::Answered& answered);
  void take(RunFacts& run, const event::ToolFinished& finished);
  void take(RunFacts& run, const event::CallFailed& failed);
  void take(RunFacts& run, const event::Waiting& waiting);
  void take(RunFacts& run, const event::Released& released);
  void take(RunFacts& run, const event::Ended& ended);
  void take(RunFacts& run, const event::Decided& decided);
  void take(RunFacts& run, const event::Gated& gated);
  void take(RunFacts& run, const event::Reviewed& reviewed);
  void take(const event::Delivered& delivered);
  void take(const event::Undelivered& undelivered);
  void expect_overtaken(const RunFacts& run, const std::string& reason);
  Tiding* next_try(Position position, int attempt);
  void take(const event::BudgetRaised& raised);
  void pay(RunId run, int step, port::Spend spend);
  template <class T>
  void take(RunFacts&, const T&) {}
  void intend(RunFacts& run, Place place);
  void object(const RunFacts& run, const std::string& what);

  std::map<std::string, const manifest::AgentSpec*> specs_;
  const NanoDollars host_limit_;
  std::map<PurseName, Purse> purses_;
  std::deque<port::StoredRecord> records_;
  std::map<Position, RunFacts> runs_;
  std::map<std::string, std::vector<Stretch>> slots_;
  std::map<std::pair<std::string, std::string>, RunId> keys_;  // by agent and key
  std::map<std::string, std::set<Position>> unclaimed_;        // by agent
  std::set<std::string> maybe_done_;                           // `once` calls that may have happened
  std::map<std::string, Instant> began_;
  std::multimap<std::size_t, std::string> notes_;  // by the records before
  std::vector<std::string> objections_;
  std::map<Position, Tiding> tidings_;
  std::set<Position> told_;
  std::size_t accepted_ = 0, live_ = 0, untold_ = 0;
};

}  // namespace agentd::sim
