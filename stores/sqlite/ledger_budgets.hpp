// What is spent, held and raised of each account, and which call of which run holds it.
//
// The writer's alone. What a group changes is laid over what is durable, and put into it when the group is. Accounts of days gone by
// are forgotten here and read again where a late end still settles into one.
#pragma once
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "db.hpp"
#include "ledger_writes.hpp"

namespace agentd::sqlite {

class Budgets {
 public:
  explicit Budgets(Db& db);

  // Settles, raises and holds as the transition says. False: a hold does not fit, and nothing has changed.
  bool take(const Transition& transition);
  // What the run's claim of that generation holds is spent.
  void let_go(const agentd_run_id& run, std::uint64_t generation);

  void keep();  // the accounts that the group changed, in its transaction
  // The group is durable: the accounts that it changed. Borrowed until the next group. noexcept as Draft::apply is.
  std::vector<agentd_ledger_account> applied() noexcept;
  void forgotten();  // the group has not happened

  std::vector<agentd_ledger_account> recent();  // those of the latest window; borrowed likewise

 private:
  using Name = std::pair<std::string, std::int64_t>;  // and its window
  struct Account {
    Spend spent, held, raised;
  };
  using Accounts = std::map<Name, Account>;
  struct Held {
    Name account;
    std::int64_t call = 0;
    Spend most;
    std::uint64_t generation = 0;
  };
  using Holds = std::vector<Held>;
  class Trial;

  const Account& account(const Name& name);
  const Holds& holds(std::int64_t run) const;
  void put(std::int64_t run, Holds holds);
  agentd_ledger_account lend(const Name& name, const Account& account) const;

  Statement find_, put_, add_hold_, drop_hold_, latest_;
  Accounts accounts_, changed_;
  std::unordered_map<std::int64_t, Holds> holds_, changed_holds_;
};

// At the start: nobody knows what became of the calls of earlier claims, so all that they held is spent.
void spend_all_holds(Db& db);

}  // namespace agentd::sqlite
