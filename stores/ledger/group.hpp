// One group: every write that arrived while the one before was on its way to the disk, as one transaction with one answer.
#pragma once
#include <deque>

#include "budgets.hpp"
#include "draft.hpp"
#include "rows.hpp"

namespace agentd::ledger {

// What became of a group. Its texts are borrowed from the writes and the mirror's agents.
struct Group {
  std::vector<agentd_ledger_answer> answers;
  std::vector<agentd_ledger_stored> records;
  std::vector<Agent*> agents;  // that it touched
  std::vector<agentd_ledger_account> accounts;
  bool due = false;
  std::string epoch;            // in the first one that is told
  std::int64_t last_position = 0;
  std::deque<std::vector<agentd_ledger_admission>> admissions;  // what the answers point to
  std::deque<std::vector<agentd_run_id>> cancels;
  std::deque<std::vector<agentd_ledger_kept>> kept;
  std::deque<std::string> texts;
};

// Decides what becomes of each write and says which rows that makes; whoever has the rows has the transaction. One thread at a time. The
// mutex is the mirror's.
class GroupWriter {
 public:
  // Whether an agent's runs name the one before.
  enum class Runs { linked, alone };
  GroupWriter(Rows& rows, Mirror& mirror, std::mutex& mutex, Runs runs);

  // The first position and the first number of an agent that nobody has been given.
  struct Next {
    std::int64_t position = 1, agent = 1;
  };
  const Next& next() const { return next_; }
  void go_on_from(const Next& next) { next_ = kept_ = next; }

  // Every group is decided, and then either kept or forgotten. Whatever is thrown while it is decided, it is to be forgotten.
  Group decide(const std::vector<Write>& writes);
  void keep(Group& group) noexcept;  // it is durable. noexcept as Draft::apply is
  void forget();                     // it has not happened
  Budgets& budgets() { return budgets_; }

 private:
  struct Step;  // one write on its way
  void apply(Step& step, const Enqueue& enqueue);
  void apply(Step& step, const Transition& transition);
  void apply(Step& step, const LetGo& let_go);
  void apply(Step& step, const PutSpecs& put);
  void apply(Step& step, const PutCursors& put);
  void apply(Step& step, const Remove& remove);
  agentd_ledger_kept keep(Step& step, const Spec& spec);
  std::vector<agentd_ledger_admission> admit(Step& step, const std::vector<Entry>& entries);
  agentd_ledger_admission admit(Step& step, const Entry& entry);
  bool insert_run(Step& step, Draft::AgentChange& agent, const Entry& entry, std::int32_t status);
  agentd_run_id first_with_key(std::int64_t agent, const std::string& key);
  void append(Step& step, const Transition& transition, Draft::RunChange& change);
  void review(Step& step, const Transition& transition);
  void count(Step& step, const Transition& transition, Draft::AgentChange& agent);
  void append_runless(Step& step, const Transition& transition);
  void insert_record(Step& step, const agentd_run_id& run, std::int64_t run_column, std::int64_t prev, const Agent* agent, const Record& record);
  void move_on(Step& step, const Transition& transition, Draft::RunChange& change);
  std::int64_t row_of(Draft::AgentChange& agent);
  void keep_limit(Draft::AgentChange& agent, std::uint32_t max_concurrent);
  void keep_stats(Draft& draft);
  void keep_marks();

  Rows& rows_;
  Mirror& mirror_;
  std::mutex& mutex_;
  const Runs runs_;
  Budgets budgets_;
  Next next_, kept_;
  std::optional<Draft> draft_;       // while a group is between decided and kept
  std::int64_t now_ = 0;             // of the latest write
  std::int64_t marked_ = 0, kept_mark_ = 0;  // where the next position stood when the marks were last written
  std::int64_t reopened_ = kNever;   // the first run that this group takes out of quarantine
};

std::string to_text(const Stats& stats);
Stats stats_of(std::string_view text);

}  // namespace agentd::ledger
