#include "ledger_writer.hpp"

namespace agentd::sqlite {

LedgerWriter::LedgerWriter(Db& db, Mirror& mirror, std::mutex& mutex, const GroupWriter::Next& next) : db_(db), tables_(db), groups_(tables_, mirror, mutex, GroupWriter::Runs::linked) {
  groups_.go_on_from(next);
}

Group LedgerWriter::write(const std::vector<Write>& writes) {
  Group group;
  try {
    Transaction transaction(db_);
    group = groups_.decide(writes);
    tables_.keep(groups_.next().position);
    transaction.commit();
  } catch (...) {
    groups_.forget();
    tables_.forgotten();
    throw;
  }
  groups_.keep(group);
  tables_.applied();
  return group;
}

}  // namespace agentd::sqlite
