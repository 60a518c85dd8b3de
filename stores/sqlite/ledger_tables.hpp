// The ledger's tables as a group of writes changes them.
#pragma once
#include "db.hpp"
#include "ledger_pruning.hpp"
#include "ledger_rows.hpp"

namespace agentd::sqlite {

// The writer's alone, within its transaction. Throws DbError.
class Tables final : public Rows {
 public:
  explicit Tables(Db& db);

  bool insert_run(const RunBody& body, const RunState& state, bool aside) override;
  agentd_run_id first_with_key(std::int64_t agent, const std::string& key) override;
  void update_run(const LiveRun& run) override;
  std::optional<RunFound> find_run(std::int64_t id) override;
  void came_back(std::int64_t run) override;
  void insert_record(const RecordBody& record) override;
  void insert_agent(std::int64_t id, const std::string& name, std::uint32_t max_concurrent, const std::string& stats) override;
  void limit_agent(std::int64_t id, std::uint32_t max_concurrent) override;
  void stats_agent(std::int64_t id, const std::string& stats, std::int64_t newest) override;
  void state_agent(std::int64_t id, const std::string& state) override;
  std::optional<LatestSpec> latest_spec(std::int64_t agent) override;
  bool had_spec(std::int64_t agent, const std::string& content) override;
  void insert_spec(std::int64_t agent, std::int64_t revision, std::int64_t at, const std::string& content) override;
  void put_cursor(const std::string& name, std::int64_t position) override;
  std::optional<Account> read_account(const AccountName& name) override;
  void put_account(const AccountName& name, const Account& account) override;
  void put_holds(std::int64_t run, const std::vector<Held>& holds) override;
  Removed prune(const Remove& what, std::int64_t now) override { return pruning_.prune(what, now); }
  Forgotten forget(const agentd_run_id& run) override { return pruning_.forget(run); }
  void keep_marks(std::int64_t live_from, std::int64_t tail_from) override;

  void keep(std::int64_t next_position) { pruning_.keep(next_position); }  // the last of the transaction
  void applied() { pruning_.applied(); }                                   // the group is durable
  void forgotten() { pruning_.forgotten(); }                               // it has not happened

  std::vector<AccountName> recent_accounts();  // those of the latest window

 private:
  Db& db_;
  Pruning pruning_;
  Statement insert_run_, insert_record_, update_run_, find_key_, find_run_, put_aside_, end_aside_;
  Statement insert_agent_, limit_agent_, stats_agent_, state_agent_;
  Statement latest_spec_, had_spec_, insert_spec_, put_cursor_, put_meta_;
  Statement find_account_, put_account_, latest_accounts_, add_hold_, drop_holds_;
};

// At the start: nobody knows what became of the calls of earlier claims, so all that they held is spent.
void spend_all_holds(Db& db);

}  // namespace agentd::sqlite
