// A ledger in memory that keeps the whole contract of port::Ledger, and can be made to fail or to die at any operation.
//
// LedgerStore is what a disk would hold; a FakeLedger is one process's hold on it. Opening a new one ends the claims of the earlier.
#pragma once
#include <map>
#include <memory>

#include "core/port/ledger.hpp"
#include "tests/support/virtual_world.hpp"

namespace agentd::support {

class LedgerStore {
 public:
  struct Row {
    port::Entry entry;
    RunId run;
    Instant entered_at{};
    port::RunStatus status{};
    Instant due_at{}, since{};  // since: when it was said when it is due
    std::uint64_t generation = 0;
    std::uint64_t holder = 0;  // the process that has claimed it; 0: nobody
    bool has_records = false;
    int deaths = 0;            // processes that ended while they held it
    Position last = 0;
  };
  std::vector<port::StoredRecord> log;  // position is the index + 1
  std::map<Position, Row> runs;
  std::map<std::string, port::AgentStats> stats;
  std::map<std::string, std::string> agent_states;
  std::map<std::string, Position> cursors;
  std::map<std::string, std::vector<port::SpecRevision>> specs;
  std::map<std::pair<std::string, std::int64_t>, port::Account> accounts;
  struct Held {
    Position run = 0;
    std::int64_t call = 0;
    std::uint64_t generation = 0;
    std::pair<std::string, std::int64_t> account;
    port::Spend most;
  };
  std::vector<Held> holds;
  std::uint64_t processes = 0, generations = 0;
  std::string epoch = "epoch-1";

  std::vector<port::StoredRecord> records_of(RunId run) const;
};

// How an operation is made to fail.
struct LedgerFailure {
  port::LedgerFault fault = port::LedgerFault::unavailable;
  bool happened = false;  // the operation took effect and only its answer was lost
};

class FakeLedger final : public port::Ledger {
 public:
  FakeLedger(VirtualWorld& world, LedgerStore& store);

  // The process dies: every operation from now on fails and changes nothing.
  void cut() { cut_ = true; }
  bool is_cut() const { return cut_; }
  // The process dies when the log has so many records; what is durable by then stays.
  void cut_after(std::size_t records) { cut_after_ = records; }
  // The nth operation (from 1) fails.
  void fail(std::size_t nth, LedgerFailure failure) { failures_[nth] = failure; }
  std::size_t operations() const { return operations_; }
  void fill_disk(bool full) { full_ = full; }
  // Somebody else holds its file: nothing is written or read.
  void lock(bool locked) { locked_ = locked; }
  // The run's records cannot be read any more.
  void damage(RunId run) { damaged_ = run; }

  Async<port::LedgerResult<std::vector<port::Admission>>> enqueue(std::vector<port::Entry> entries) override;
  Async<port::LedgerResult<Position>> commit(port::Transition transition) override;
  Async<port::LedgerResult<std::vector<port::KeptSpec>>> put_specs(std::vector<port::AgentSpecText> specs) override;
  Async<port::LedgerResult<void>> put_cursors(std::vector<port::Cursor> cursors) override;
  Async<port::LedgerResult<port::Claims>> claim(std::size_t n) override;
  void abandon(RunId run, std::uint64_t generation) override;
  void serve(std::string agent_id, bool can) override;
  void on_due(std::function<void()> wake) override { wake_ = std::move(wake); }
  Async<port::LedgerResult<std::vector<port::StoredRecord>>> load(RunId run) override;
  Async<port::LedgerResult<std::vector<port::RunRow>>> list(port::RunFilter filter) override;
  Async<port::LedgerResult<std::vector<port::StoredRecord>>> events_after(Position position, std::size_t limit) override;
  Async<port::LedgerResult<std::optional<port::SpecRevision>>> spec(std::string agent_id, std::int64_t revision) override;
  Async<port::LedgerResult<std::string>> agent_state(std::string agent_id) override;
  Async<port::LedgerResult<std::vector<Position>>> cursors(std::vector<std::string> names) override;
  std::string epoch() const override { return store_.epoch; }
  Position last_position() const override { return static_cast<Position>(store_.log.size()); }
  std::size_t queued(const std::string& agent_id) const override;
  std::size_t running(const std::string& agent_id) const override;
  port::AgentStats stats(const std::string& agent_id) const override;
  port::Account account(const std::string& name, std::int64_t window) const override;
  bool accepts() const override { return !full_; }
  void on_group(std::function<void(std::span<const port::StoredRecord>)> feed) override { feed_ = std::move(feed); }
  Vitals vitals() const override { return {.groups = store_.log.size(), .records = store_.log.size(), .wal_bytes = 0, .last_commit_seconds = 0, .last_group_size = 1}; }

 private:
  enum class Needs { memory, file, space };
  // The next operation's fate: nothing when it goes well.
  std::optional<LedgerFailure> next_failure(Needs needs);
  port::LedgerResult<Position> apply(port::Transition transition);
  port::Admission admit(port::Entry entry);
  bool take_budget(const port::Transition& transition);  // false: a hold does not fit, and nothing has changed
  template <class Which>
  void settle(Which which, const std::optional<port::Spend>& used = {});
  Position append(RunId run, std::string agent_id, std::int32_t kind, port::RunStatus status, std::string payload);
  void end(LedgerStore::Row& row, const port::Transition& transition);
  void feed_from(Position first);
  void wake();
  std::size_t count(const std::string& agent_id, port::RunStatus status) const;
  std::size_t in_flight(const std::string& agent_id, bool aside) const;
  std::size_t in_line(const port::Entry& before) const;

  VirtualWorld& world_;
  LedgerStore& store_;
  std::uint64_t process_;
  std::map<std::string, bool> serves_;
  std::string last_agent_;
  std::function<void()> wake_;
  std::function<void(std::span<const port::StoredRecord>)> feed_;
  std::map<std::size_t, LedgerFailure> failures_;
  std::size_t operations_ = 0;
  RunId damaged_;
  std::optional<std::size_t> cut_after_;
  bool cut_ = false, full_ = false, locked_ = false;
};

}  // namespace agentd::support
