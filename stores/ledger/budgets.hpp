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

#include "rows.hpp"

namespace agentd::ledger {

class Budgets {
 public:
  explicit Budgets(Rows& rows) : rows_(rows) {}

  // Settles, raises and holds as the transition says. False: a hold does not fit, and nothing has changed.
  bool take(const Transition& transition);
  // What the run's claim of that generation holds is spent.
  void let_go(const agentd_run_id& run, std::uint64_t generation);

  void keep();  // the accounts that the group changed, in its transaction
  // The group is durable: the accounts that it changed. Borrowed until the next group. noexcept as Draft::apply is.
  std::vector<agentd_ledger_account> applied() noexcept;
  void forgotten();  // the group has not happened

  std::vector<agentd_ledger_account> look_at(const std::vector<AccountName>& names);  // borrowed likewise

  // ---- of a ledger that is shared: what others have made durable. Between two groups
  void know(const AccountName& name, const Account& account);
  void know_holds(std::int64_t run, std::vector<Held> holds);
  void know_nothing();
  // What a write may need of accounts that are not in memory.
  void add_unknown(const Transition& transition, std::vector<AccountName>& names) const;

 private:
  using Name = AccountName;
  using Accounts = std::map<Name, Account>;
  using Holds = std::vector<Held>;
  class Trial;

  const Account& account(const Name& name);
  const Holds& holds(std::int64_t run) const;
  void put(std::int64_t run, Holds holds);
  agentd_ledger_account lend(const Name& name, const Account& account) const;

  Rows& rows_;
  Accounts accounts_, changed_;
  std::unordered_map<std::int64_t, Holds> holds_, changed_holds_;
};

}  // namespace agentd::ledger
