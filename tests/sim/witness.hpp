// Who has seen everything: every record, every request to a model, every tool call. Says at once what must not be.
#pragma once
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/event/record.hpp"
#include "core/manifest/agent_spec.hpp"

namespace agentd::sim {

using Place = std::pair<int, int>;  // of a tool call: step, index

// A run as its records and the world outside know it.
struct RunFacts {
  RunId run;
  std::string agent;
  port::RunStatus entered_as{}, ended_as{};
  bool accepted() const { return !port::is_final(entered_as); }
  bool ended = false, started = false, spent = false, attempt_open = false;
  std::size_t records = 0;
  int attempt = 1, deaths = 0;
  int planned = 0;  // the model call that the records say is made; 0: none
  std::set<int> answered;
  std::set<Place> intents, finished;
  // outside
  int asking = 0;             // the model call that was sent, and of whose end nothing is written
  std::int64_t requests = 0;  // those that count for the limit
};

// A slot's dispositions; of a stretch of them.
struct Stretch {
  Instant first{}, last{};
  std::int64_t count = 1;
  bool ran = false;  // it became a run, whatever came of that
};

class Witness {
 public:
  explicit Witness(const std::vector<manifest::AgentSpec>& agents);

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
  void model_refused(RunId run);  // for the account's sake, or before it answered: it need not count
  void tool_begins(RunId run, Place place, const std::string& call_id, port::Effect effect);
  void tool_did_not_happen(const std::string& call_id) { maybe_done_.erase(call_id); }

  // ---- the process
  void process_died(const std::set<RunId>& held, bool claimed_more);
  void process_left();
  void admitted(const std::string& agent, const std::string& key, const port::Admission& admission);
  void claimed(RunId run);
  void cursors_kept(const std::vector<port::Cursor>& cursors, Instant now);

  RunFacts* facts(RunId run);
  const std::map<Position, RunFacts>& runs() const { return runs_; }
  const std::vector<Stretch>& slots(const std::string& agent) const { return slots_.at(agent); }
  const std::map<std::string, Instant>& schedules_began() const { return began_; }  // by agent: from when its slots are owed
  std::size_t accepted() const { return accepted_; }
  std::size_t live() const { return live_; }
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
  template <class T>
  void take(RunFacts&, const T&) {}
  void intend(RunFacts& run, Place place);
  void object(const RunFacts& run, const std::string& what);

  std::map<std::string, const manifest::AgentSpec*> specs_;
  std::deque<port::StoredRecord> records_;
  std::map<Position, RunFacts> runs_;
  std::map<std::string, std::vector<Stretch>> slots_;
  std::map<std::pair<std::string, std::string>, RunId> keys_;  // by agent and key
  std::map<std::string, std::set<Position>> unclaimed_;        // by agent
  std::set<std::string> maybe_done_;                           // `once` calls that may have happened
  std::map<std::string, Instant> began_;
  std::multimap<std::size_t, std::string> notes_;  // by the records before
  std::vector<std::string> objections_;
  std::size_t accepted_ = 0, live_ = 0;
};

}  // namespace agentd::sim
