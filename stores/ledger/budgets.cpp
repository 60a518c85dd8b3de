#include "budgets.hpp"

#include <agentd/sdk/host.hpp>

#include <algorithm>

namespace agentd::ledger {
namespace {

constexpr std::int64_t kWindowsKept = 2;  // in memory, of each account

bool fits(std::int64_t spent, std::int64_t held, std::int64_t most, std::int64_t limit, std::int64_t raised) {
  return limit <= 0 || spent + held + most <= limit + raised;
}

}  // namespace

// One transition's changes, kept when all of them are possible.
class Budgets::Trial {
 public:
  Trial(Budgets& of, std::int64_t run) : of_(of), run_(run), holds_(of.holds(run)) {}

  Account& account(const Name& name) { return accounts_.try_emplace(name, of_.account(name)).first->second; }

  // Whatever `which` says of what the run holds; used is what it came to, else all of it.
  template <class Which>
  void settle(Which which, const std::optional<Spend>& used = {}) {
    std::erase_if(holds_, [&](const Held& held) {
      if (!which(held)) return false;
      auto& from = account(held.account);
      from.held -= held.most;
      from.spent += used.value_or(held.most);
      changed_holds_ = true;
      return true;
    });
  }

  bool hold(const Hold& hold, std::uint64_t generation) {
    const Name name(hold.account, hold.window);
    auto& of = account(name);
    if (!fits(of.spent.tokens, of.held.tokens, hold.most.tokens, hold.limit.tokens, of.raised.tokens)) return false;
    if (!fits(of.spent.cost, of.held.cost, hold.most.cost, hold.limit.cost, of.raised.cost)) return false;
    of.held += hold.most;
    holds_.push_back({name, hold.call, hold.most, generation});
    changed_holds_ = true;
    return true;
  }

  void keep() {
    for (auto& [name, account] : accounts_) of_.changed_.insert_or_assign(name, account);
    if (changed_holds_) of_.put(run_, std::move(holds_));
  }

 private:
  Budgets& of_;
  const std::int64_t run_;
  Holds holds_;
  Accounts accounts_;
  bool changed_holds_ = false;
};

bool Budgets::take(const Transition& t) {
  const auto run = t.run.position;
  const bool goes_on = t.next == 0 || t.next == AGENTD_RUN_RUNNING;
  if (t.settles.empty() && t.raises.empty() && t.holds.empty() && holds(run).empty()) return true;
  Trial trial(*this, run);
  trial.settle([&](const Held& held) { return held.generation != t.generation; });
  for (const auto& settle : t.settles) trial.settle([&](const Held& held) { return held.call == settle.call; }, settle.used);
  for (const auto& raise : t.raises) trial.account({raise.account, raise.window}).raised += raise.by;
  for (const auto& hold : t.holds)
    if (!trial.hold(hold, t.generation)) return false;
  if (!goes_on) trial.settle([](const Held&) { return true; });
  trial.keep();
  return true;
}

void Budgets::let_go(const agentd_run_id& run, std::uint64_t generation) {
  Trial trial(*this, run.position);
  trial.settle([&](const Held& held) { return held.generation == generation; });
  trial.keep();
}

void Budgets::keep() {
  for (const auto& [name, account] : changed_)
    rows_.put_account(name, account);
}

std::vector<agentd_ledger_account> Budgets::applied() noexcept {
  std::vector<agentd_ledger_account> told;
  for (auto& [name, account] : changed_) {
    const auto place = accounts_.insert_or_assign(name, account).first;
    told.push_back(lend(place->first, place->second));
  }
  for (const auto& [name, account] : changed_) {
    const auto first = accounts_.lower_bound({name.first, INT64_MIN}), newest = std::prev(accounts_.upper_bound({name.first, INT64_MAX}));
    const auto kept = accounts_.lower_bound({name.first, newest->first.second - kWindowsKept + 1});
    const bool told_of = std::any_of(changed_.begin(), changed_.end(), [&](const auto& one) { return one.first.first == name.first && one.first < kept->first; });
    if (!told_of) accounts_.erase(first, kept);
  }
  for (auto& [run, holds] : changed_holds_) {
    if (holds.empty()) holds_.erase(run);
    else holds_.insert_or_assign(run, std::move(holds));
  }
  changed_.clear();
  changed_holds_.clear();
  return told;
}

void Budgets::know(const AccountName& name, const Account& account) { accounts_.insert_or_assign(name, account); }

void Budgets::know_holds(std::int64_t run, std::vector<Held> holds) {
  if (holds.empty()) holds_.erase(run);
  else holds_.insert_or_assign(run, std::move(holds));
}

void Budgets::know_nothing() {
  accounts_.clear();
  holds_.clear();
}

void Budgets::add_unknown(const Transition& t, std::vector<AccountName>& names) const {
  const auto add = [&](const AccountName& name) {
    if (!accounts_.contains(name)) names.push_back(name);
  };
  for (const auto& raise : t.raises) add({raise.account, raise.window});
  for (const auto& hold : t.holds) add({hold.account, hold.window});
  for (const auto& held : holds(t.run.position)) add(held.account);
}

void Budgets::forgotten() {
  changed_.clear();
  changed_holds_.clear();
}

std::vector<agentd_ledger_account> Budgets::look_at(const std::vector<AccountName>& names) {
  std::vector<agentd_ledger_account> told;
  for (const auto& name : names) {
    const auto place = accounts_.insert_or_assign(name, account(name)).first;
    told.push_back(lend(place->first, place->second));
  }
  return told;
}

const Account& Budgets::account(const Name& name) {
  if (const auto drafted = changed_.find(name); drafted != changed_.end()) return drafted->second;
  if (const auto known = accounts_.find(name); known != accounts_.end()) return known->second;
  Account read = rows_.read_account(name).value_or(Account());
  read.held = {};
  for (const auto& [run, holds] : holds_)
    for (const auto& held : holds)
      if (held.account == name) read.held += held.most;
  return accounts_.emplace(name, read).first->second;
}

const Budgets::Holds& Budgets::holds(std::int64_t run) const {
  static const Holds kNone;
  if (const auto drafted = changed_holds_.find(run); drafted != changed_holds_.end()) return drafted->second;
  const auto known = holds_.find(run);
  return known == holds_.end() ? kNone : known->second;
}

void Budgets::put(std::int64_t run, Holds holds) {
  rows_.put_holds(run, holds);
  changed_holds_.insert_or_assign(run, std::move(holds));
}

agentd_ledger_account Budgets::lend(const Name& name, const Account& a) const {
  return {sdk::str(name.first), name.second, a.spent.tokens, a.spent.cost, a.held.tokens, a.held.cost, a.raised.tokens, a.raised.cost};
}

}  // namespace agentd::ledger
