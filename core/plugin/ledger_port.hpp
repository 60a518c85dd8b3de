// A ledger plugin as the engine's port. Texts are copied out of the plugin's memory on the thread that brings them; the engine hears
// of a whole group with one wake-up and then resumes everybody who waited for a part of it.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "core/plugin/instances.hpp"
#include "core/port/ledger_sharing.hpp"
#include "core/port/ledger_upkeep.hpp"

struct agentd_ledger;

namespace agentd::plugin {

// What a ledger tells of an operation or a group, copied. Any thread until it is posted, then the engine's.
struct LedgerAnswer {
  using Value = std::variant<std::monostate, std::int64_t, std::vector<port::Admission>, port::Claims, std::vector<port::StoredRecord>,
                             std::vector<port::RunRow>, std::vector<port::KeptSpec>, std::vector<std::int64_t>, port::SpecRevision, port::Pruned, std::vector<port::WorkerSession>>;
  std::uint64_t op = 0;
  std::optional<port::LedgerError> error;
  Value value;
};

struct LedgerStanding {
  std::string agent_id;
  std::size_t queued = 0, running = 0;
  port::AgentStats stats;
  std::uint64_t version = 0;  // claims and groups come from two threads: the newer one counts
};

struct LedgerGroup {
  std::vector<LedgerAnswer> answers;
  std::vector<port::StoredRecord> records;
  std::vector<LedgerStanding> standings;
  Position last_position = 0;
  std::uint64_t wal_bytes = 0;
  double commit_seconds = 0;
  bool accepting = true, due = false;
  std::vector<port::Account> accounts;
  std::string epoch;  // empty: as it was told before
  bool elsewhere = false;
};

class LedgerPort;

// The instance's side: agentd.host.ledger/1. Lives as long as its instance, and knows the port while there is one.
class LedgerInbox final : public Extension {
 public:
  explicit LedgerInbox(Executor executor) : executor_(std::move(executor)) {}
  const void* service(std::string_view id) const override;

  void attach(LedgerPort* port);  // the engine thread; what came before is delivered now
  template <class Deliver>
  void post(Deliver deliver);  // any thread: deliver(LedgerPort&) on the engine's

 private:
  Executor executor_;
  LedgerPort* port_ = nullptr;                            // the engine thread
  std::vector<std::move_only_function<void()>> early_;    // the engine thread: came while the instance was being made
};

// What open_ledger makes.
class LedgerPort final : public port::Ledger, public port::LedgerUpkeep, public port::LedgerSharing {
 public:
  LedgerPort(LedgerInbox& inbox, World world, const agentd_ledger& table, void* self);
  ~LedgerPort() override;

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

  Async<port::LedgerResult<port::Pruned>> prune(port::Prune what) override;
  Async<port::LedgerResult<void>> forget(RunId run) override;
  Async<port::LedgerResult<void>> backup(std::string file) override;

  bool is_shared() const override;
  Async<port::LedgerResult<std::vector<std::uint64_t>>> lease(std::vector<std::string> names) override;
  bool clocks_agree() const override;
  port::ClaimState claim_state(RunId run, std::uint64_t generation) const override;
  Async<port::LedgerResult<std::vector<port::WorkerSession>>> sessions() override;

  std::string epoch() const override { return epoch_; }
  Position last_position() const override { return last_position_; }
  std::size_t queued(const std::string& agent_id) const override;
  std::size_t running(const std::string& agent_id) const override;
  port::AgentStats stats(const std::string& agent_id) const override;
  port::Account account(const std::string& name, std::int64_t window) const override;
  bool accepts() const override { return accepting_; }
  void on_group(std::function<void(std::span<const port::StoredRecord>)> feed) override { feed_ = std::move(feed); }
  Vitals vitals() const override { return vitals_; }

  // ---- for the inbox, the engine thread
  void deliver(LedgerGroup group);
  void deliver(LedgerAnswer answer, std::vector<LedgerStanding> standings);
  void deliver(std::uint64_t op, LedgerAnswer::Value piece);  // more of it follows
  void due();

 private:
  // One operation: call(op) is made at once; its answer, with the pieces before it.
  template <class T, class Call>
  Async<port::LedgerResult<T>> ask(Call call);
  Async<port::LedgerResult<port::Pruned>> remove(port::Prune what, RunId run);
  void stand(std::vector<LedgerStanding> standings);
  void know(port::Account account);
  std::int64_t now_ms() const;

  struct Waiting {
    Promise<LedgerAnswer> promise;
    LedgerAnswer::Value pieces;
  };

  LedgerInbox& inbox_;
  World world_;
  const agentd_ledger& table_;
  void* const self_;
  std::uint64_t last_op_ = 0;
  std::unordered_map<std::uint64_t, Waiting> waiting_;
  std::unordered_map<std::string, LedgerStanding> standings_;
  std::map<std::pair<std::string, std::int64_t>, port::Account> accounts_;  // by name and window
  std::function<void()> wake_;
  std::function<void(std::span<const port::StoredRecord>)> feed_;
  std::string epoch_;
  Position last_position_ = 0;
  bool accepting_ = true;
  Vitals vitals_;
};

}  // namespace agentd::plugin
