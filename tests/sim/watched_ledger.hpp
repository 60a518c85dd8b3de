// A process's ledger, with somebody who watches what is asked of it and may let the process die over it.
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/port/ledger.hpp"
#include "tests/sim/outside.hpp"

namespace agentd::sim {

// Over the port, which it owns. When the process is dead everything fails and nothing reaches the port.
class WatchedLedger final : public port::Ledger {
 public:
  WatchedLedger(std::unique_ptr<port::Ledger> port, Life& life, Faults& faults, Witness& witness);

  // What a worker that is long gone may still send: transitions of this process, in order.
  const std::deque<port::Transition>& sent() const { return sent_; }
  bool holds(RunId run, std::uint64_t generation) const;
  std::set<RunId> held() const;
  const std::set<RunId>& abandoned() const { return abandoned_; }
  bool lost_cursors() const { return lost_cursors_; }  // a write of some has failed
  bool claims() const { return claiming_; }            // and it may hold what it has not heard of
  bool is_busy() const { return !under_way_.empty() || asking_ > 0; }
  port::Ledger& port() { return *port_; }

  Async<port::LedgerResult<std::vector<port::Admission>>> enqueue(std::vector<port::Entry> entries) override;
  Async<port::LedgerResult<Position>> commit(port::Transition transition) override;
  Async<port::LedgerResult<std::vector<port::KeptSpec>>> put_specs(std::vector<port::AgentSpecText> specs) override;
  Async<port::LedgerResult<void>> put_cursors(std::vector<port::Cursor> cursors) override;
  Async<port::LedgerResult<port::Claims>> claim(std::size_t n) override;
  void abandon(RunId run, std::uint64_t generation) override;
  void serve(std::string agent_id, bool can) override;
  void on_due(std::function<void()> wake) override;
  Async<port::LedgerResult<std::vector<port::StoredRecord>>> load(RunId run) override { return read(port_->load(run)); }
  Async<port::LedgerResult<std::vector<port::RunRow>>> list(port::RunFilter filter) override {
    return read(port_->list(std::move(filter)));
  }
  Async<port::LedgerResult<std::vector<port::StoredRecord>>> events_after(Position position, std::size_t limit) override {
    return read(port_->events_after(position, limit));
  }
  Async<port::LedgerResult<std::optional<port::SpecRevision>>> spec(std::string agent_id, std::int64_t revision) override {
    return read(port_->spec(std::move(agent_id), revision));
  }
  Async<port::LedgerResult<std::string>> agent_state(std::string agent_id) override {
    return read(port_->agent_state(std::move(agent_id)));
  }
  Async<port::LedgerResult<std::vector<Position>>> cursors(std::vector<std::string> names) override {
    return read(port_->cursors(std::move(names)));
  }
  std::string epoch() const override { return port_->epoch(); }
  Position last_position() const override { return port_->last_position(); }
  std::size_t queued(const std::string& agent_id) const override { return port_->queued(agent_id); }
  std::size_t running(const std::string& agent_id) const override { return port_->running(agent_id); }
  port::AgentStats stats(const std::string& agent_id) const override { return port_->stats(agent_id); }
  port::Account account(const std::string& name, std::int64_t window) const override { return port_->account(name, window); }
  bool accepts() const override { return port_->accepts(); }
  void on_group(std::function<void(std::span<const port::StoredRecord>)> feed) override { feed_ = std::move(feed); }
  Vitals vitals() const override { return port_->vitals(); }

 private:
  template <class T>
  Async<port::LedgerResult<T>> write(std::vector<Column> columns, Async<port::LedgerResult<T>> asked);
  template <class T>
  Async<port::LedgerResult<T>> read(Async<port::LedgerResult<T>> asked);
  void end(const std::vector<Column>& columns);
  void let_go(RunId run, std::uint64_t generation);

  std::unique_ptr<port::Ledger> port_;
  Life& life_;
  Faults& faults_;
  Witness& witness_;
  std::function<void(std::span<const port::StoredRecord>)> feed_;
  std::multiset<Column> under_way_;
  std::size_t asking_ = 0;  // claims and reads
  bool claiming_ = false, lost_cursors_ = false;
  Tick last_claim_{};
  int claims_at_once_ = 0;
  struct Held {
    std::uint64_t generation;
    std::string agent;
    bool aside;
  };
  std::map<RunId, Held> held_;
  std::set<RunId> abandoned_;
  std::map<std::pair<std::string, bool>, std::int64_t> in_flight_;  // by agent, its own and those aside
  std::deque<port::Transition> sent_;
};

}  // namespace agentd::sim
