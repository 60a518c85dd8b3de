// A process's ledger. When the process is dead everything fails, and nothing reaches the store.
#pragma once
#include <memory>

#include "core/plugin/ledger_port.hpp"
#include "tests/sim/life.hpp"

namespace agentd::sim {

// Over the port, which it owns.
class MortalLedger final : public port::Ledger, public port::LedgerUpkeep {
 public:
  MortalLedger(std::unique_ptr<plugin::LedgerPort> port, Life& life) : port_(std::move(port)), life_(life) {}

  bool is_busy() const { return asking_ > 0; }

  Async<port::LedgerResult<std::vector<port::Admission>>> enqueue(std::vector<port::Entry> entries) override {
    return ask(port_->enqueue(std::move(entries)));
  }
  Async<port::LedgerResult<Position>> commit(port::Transition transition) override {
    return ask(port_->commit(std::move(transition)));
  }
  Async<port::LedgerResult<std::vector<port::KeptSpec>>> put_specs(std::vector<port::AgentSpecText> specs) override {
    return ask(port_->put_specs(std::move(specs)));
  }
  Async<port::LedgerResult<void>> put_cursors(std::vector<port::Cursor> cursors) override {
    return ask(port_->put_cursors(std::move(cursors)));
  }
  Async<port::LedgerResult<port::Claims>> claim(std::size_t n) override { return ask(port_->claim(n)); }
  void abandon(RunId run, std::uint64_t generation) override {
    if (!life_.dead()) port_->abandon(run, generation);
  }
  void serve(std::string agent_id, bool can) override {
    if (!life_.dead()) port_->serve(std::move(agent_id), can);
  }
  void on_due(std::function<void()> wake) override {
    port_->on_due([this, wake = std::move(wake)] {
      if (!life_.dead()) wake();
    });
  }
  Async<port::LedgerResult<std::vector<port::StoredRecord>>> load(RunId run) override { return ask(port_->load(run)); }
  Async<port::LedgerResult<std::vector<port::RunRow>>> list(port::RunFilter filter) override {
    return ask(port_->list(std::move(filter)));
  }
  Async<port::LedgerResult<std::vector<port::StoredRecord>>> events_after(Position position, std::size_t limit) override {
    return ask(port_->events_after(position, limit));
  }
  Async<port::LedgerResult<std::optional<port::SpecRevision>>> spec(std::string agent_id, std::int64_t revision) override {
    return ask(port_->spec(std::move(agent_id), revision));
  }
  Async<port::LedgerResult<std::string>> agent_state(std::string agent_id) override {
    return ask(port_->agent_state(std::move(agent_id)));
  }
  Async<port::LedgerResult<std::vector<Position>>> cursors(std::vector<std::string> names) override {
    return ask(port_->cursors(std::move(names)));
  }
  Async<port::LedgerResult<port::Pruned>> prune(port::Prune what) override { return ask(port_->prune(what)); }
  Async<port::LedgerResult<void>> forget(RunId run) override { return ask(port_->forget(run)); }
  Async<port::LedgerResult<void>> backup(std::string file) override { return ask(port_->backup(std::move(file))); }

  std::string epoch() const override { return port_->epoch(); }
  Position last_position() const override { return port_->last_position(); }
  std::size_t queued(const std::string& agent_id) const override { return port_->queued(agent_id); }
  std::size_t running(const std::string& agent_id) const override { return port_->running(agent_id); }
  port::AgentStats stats(const std::string& agent_id) const override { return port_->stats(agent_id); }
  port::Account account(const std::string& name, std::int64_t window) const override { return port_->account(name, window); }
  bool accepts() const override { return port_->accepts(); }
  void on_group(std::function<void(std::span<const port::StoredRecord>)> feed) override {
    port_->on_group([this, feed = std::move(feed)](std::span<const port::StoredRecord> group) {
      if (!life_.dead()) feed(group);
    });
  }
  Vitals vitals() const override { return port_->vitals(); }

 private:
  // What is asked for begins when it is awaited, so a process that dies first asks for nothing.
  template <class T>
  Async<port::LedgerResult<T>> ask(Async<port::LedgerResult<T>> asked) {
    const auto dead = std::unexpected(port::LedgerError{port::LedgerFault::corrupt, "the process is dead"});
    if (life_.dead()) co_return dead;
    ++asking_;
    auto answer = co_await std::move(asked);
    --asking_;
    if (life_.dead()) co_return dead;
    co_return answer;
  }

  std::unique_ptr<plugin::LedgerPort> port_;
  Life& life_;
  std::size_t asking_ = 0;
};

}  // namespace agentd::sim
