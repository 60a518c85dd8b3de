// One group: every write that arrived while the one before was on its way to the disk, as one transaction with one answer.
#pragma once
#include <deque>

#include "ledger_budgets.hpp"
#include "ledger_draft.hpp"
#include "ledger_pruning.hpp"
#include "ledger_writes.hpp"

namespace agentd::sqlite {

// What became of a group. Its texts are borrowed from the writes and the mirror's agents.
struct Group {
  std::vector<agentd_ledger_answer> answers;
  std::vector<agentd_ledger_stored> records;
  std::vector<Agent*> agents;  // that it touched
  std::vector<agentd_ledger_account> accounts;
  bool due = false;
  std::string epoch;            // in the first one that is told
  std::deque<std::vector<agentd_ledger_admission>> admissions;  // what the answers point to
  std::deque<std::vector<agentd_run_id>> cancels;
  std::deque<std::vector<agentd_ledger_kept>> kept;
  std::deque<std::string> texts;
};

// One thread at a time. The mutex is the mirror's.
class GroupWriter {
 public:
  GroupWriter(Db& db, Mirror& mirror, std::mutex& mutex, std::int64_t next_position, std::int64_t next_agent);

  // Throws DbError: then nothing of the group has happened, here or on the disk.
  Group write(const std::vector<Write>& writes);
  std::int64_t last_position() const { return next_position_ - 1; }
  std::vector<agentd_ledger_account> recent_accounts() { return budgets_.recent(); }  // borrowed until the next group

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
  void keep_reachable(std::int64_t run);
  void count(Step& step, const Transition& transition, Draft::AgentChange& agent);
  void append_runless(Step& step, const Transition& transition);
  void insert_record(Step& step, const agentd_run_id& run, std::int64_t run_column, std::int64_t prev, const Agent* agent, const Record& record);
  void move_on(Step& step, const Transition& transition, Draft::RunChange& change);
  std::int64_t row_of(Draft::AgentChange& agent);
  void keep_limit(Draft::AgentChange& agent, std::uint32_t max_concurrent);
  void keep_stats(Draft& draft);
  void keep_marks(std::int64_t first);

  Db& db_;
  Mirror& mirror_;
  std::mutex& mutex_;
  Budgets budgets_;
  Pruning pruning_;
  std::int64_t next_position_, next_agent_;
  std::int64_t now_ = 0;     // of the latest write
  std::int64_t marked_ = 0;  // where next_position_ stood when the marks were last written
  std::int64_t reopened_ = kNever;  // the first run that this group takes out of quarantine
  Statement insert_run_, insert_record_, update_run_, find_key_;
  Statement insert_agent_, limit_agent_, stats_agent_, state_agent_;
  Statement latest_spec_, insert_spec_, put_cursor_, put_meta_;
  Statement find_run_, put_aside_, end_aside_, reopen_run_;
};

std::string to_text(const Stats& stats);
Stats stats_of(std::string_view text);

}  // namespace agentd::sqlite
