// Removing what ended long ago, and runs that are to be forgotten, a small step at a time.
//
// The writer's alone. What a group removes counts when the group is durable.
#pragma once
#include <agentd/abi/ledger.h>

#include <optional>
#include <string>
#include <vector>

#include "db.hpp"
#include "ledger_rows.hpp"

namespace agentd::sqlite {

class Pruning {
 public:
  explicit Pruning(Db& db);

  // Goes on where the step before it stopped; when all has been looked at, the next begins anew. `now`: of the latest write.
  Removed prune(const Remove& what, std::int64_t now);

  Forgotten forget(const agentd_run_id& run);

  void keep(std::int64_t next_position);  // what was removed is not missing; in the group's transaction
  void applied() { kept_ = now_; }
  void forgotten() { now_ = kept_; }

 private:
  struct Row;
  class Step;
  enum class Part { runs, records, accounts, space };
  struct State {  // of a sweep, and what was ever removed
    Part part = Part::runs;
    std::int64_t at = 0, window = 0, removed = 0;
    std::string account;
    bool swept = false, changed = false;
  };
  void sweep_runs(Step& step, Removed& out);
  void sweep_records(Step& step, Removed& out);
  void sweep_accounts(Step& step);
  void give_back_space(Step& step);
  void next_part(Part part);

  std::optional<std::int64_t> ended_at(const Row& row);
  std::vector<std::int64_t> chain_of(const Row& row, std::size_t most, std::int64_t& rest);
  bool remove_run(Row row, std::size_t most, Step* step);
  void leave_a_stub(const Row& row, std::int64_t prev, std::int64_t last);
  void drop_row_of(const Row& row);
  std::optional<Row> row(std::int64_t id);
  std::int64_t number(Statement& pragma);

  Db& db_;
  Statement runs_, run_, link_, at_, records_, accounts_;
  Statement drop_run_, drop_record_, drop_account_, stub_, put_meta_, free_pages_, pages_;
  const bool gives_back_;
  State now_, kept_;
};

}  // namespace agentd::sqlite
