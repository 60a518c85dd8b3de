// One group: every write that arrived while the one before was on its way to the disk, as one transaction with one answer.
#pragma once
#include "ledger_tables.hpp"
#include "stores/ledger/group.hpp"

namespace agentd::sqlite {

// One thread at a time. The mutex is the mirror's.
class LedgerWriter {
 public:
  LedgerWriter(Db& db, Mirror& mirror, std::mutex& mutex, const GroupWriter::Next& next);

  // Throws DbError: then nothing of the group has happened, here or on the disk.
  Group write(const std::vector<Write>& writes);
  std::int64_t last_position() const { return groups_.next().position - 1; }
  std::vector<agentd_ledger_account> recent_accounts() { return groups_.budgets().look_at(tables_.recent_accounts()); }  // borrowed until the next group

 private:
  Db& db_;
  Tables tables_;
  GroupWriter groups_;
};

}  // namespace agentd::sqlite
