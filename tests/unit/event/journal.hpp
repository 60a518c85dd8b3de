// A ledger that is only a journal: records and cursors in memory, reads and stores that can be told to fail.
#pragma once
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "core/event/expand.hpp"
#include "core/event/live.hpp"

namespace agentd::event {

class Journal final : public port::Ledger {
 public:
  // Commits a record and feeds it to the live readers, as a group of its own.
  void write(Live* live = nullptr, std::size_t bytes = 0) {
    records.push_back({static_cast<Position>(records.size() + 1),
                       Instant(Millis(records.size())),
                       {},
                       {},
                       HostStarted::kKind,
                       {},
                       encode(HostStarted{std::string(bytes, 'x')})});
    if (live) live->feed({&records.back(), 1});
  }

  void write_of(std::string agent_id, RunId run, Live* live) {
    write();
    records.back().agent_id = std::move(agent_id);
    records.back().run = run;
    live->feed({&records.back(), 1});
  }

  std::vector<port::StoredRecord> records;
  std::map<std::string, Position> kept;
  int reads = 0, failing_reads = 0, saves = 0;

  Async<port::LedgerResult<std::vector<port::StoredRecord>>> events_after(Position position, std::size_t limit) override {
    ++reads;
    if (failing_reads > 0) {
      --failing_reads;
      co_return std::unexpected(port::LedgerError{port::LedgerFault::unavailable, "the ledger is busy"});
    }
    std::vector<port::StoredRecord> out;
    for (const auto& record : records)
      if (record.position > position && out.size() < limit) out.push_back(record);
    co_return out;
  }
  Async<port::LedgerResult<void>> put_cursors(std::vector<port::Cursor> put) override {
    ++saves;
    for (const auto& cursor : put) kept[cursor.name] = cursor.position;
    co_return port::LedgerResult<void>();
  }
  Async<port::LedgerResult<std::vector<Position>>> cursors(std::vector<std::string> names) override {
    std::vector<Position> found;
    for (const auto& name : names) found.push_back(kept[name]);
    co_return found;
  }
  std::string epoch() const override { return "epoch"; }
  Position last_position() const override { return static_cast<Position>(records.size()); }

  // Readers of events need nothing else.
  Async<port::LedgerResult<std::vector<port::Admission>>> enqueue(std::vector<port::Entry>) override { std::abort(); }
  Async<port::LedgerResult<Position>> commit(port::Transition) override { std::abort(); }
  Async<port::LedgerResult<std::vector<port::KeptSpec>>> put_specs(std::vector<port::AgentSpecText>) override { std::abort(); }
  Async<port::LedgerResult<port::Claims>> claim(std::size_t) override { std::abort(); }
  void abandon(RunId, std::uint64_t) override { std::abort(); }
  void serve(std::string, bool) override { std::abort(); }
  void on_due(std::function<void()>) override { std::abort(); }
  Async<port::LedgerResult<std::vector<port::StoredRecord>>> load(RunId) override { std::abort(); }
  Async<port::LedgerResult<std::vector<port::RunRow>>> list(port::RunFilter) override { std::abort(); }
  Async<port::LedgerResult<std::optional<port::SpecRevision>>> spec(std::string, std::int64_t) override { std::abort(); }
  Async<port::LedgerResult<std::string>> agent_state(std::string) override { std::abort(); }
  std::size_t queued(const std::string&) const override { std::abort(); }
  std::size_t running(const std::string&) const override { std::abort(); }
  port::AgentStats stats(const std::string&) const override { std::abort(); }
  port::Account account(const std::string& name, std::int64_t window) const override { return {name, window, {}, {}, {}}; }
  bool accepts() const override { std::abort(); }
  void on_group(std::function<void(std::span<const port::StoredRecord>)>) override { std::abort(); }
  Vitals vitals() const override { std::abort(); }
};

}  // namespace agentd::event
