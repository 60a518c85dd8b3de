// What stands in a ledger's tables whatever keeps them, and the checksums that tie each row to its place.
#pragma once
#include <agentd/abi/ledger.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "checksum.hpp"
#include "writes.hpp"

namespace agentd::ledger {

struct LiveRun;

// What is left of a run that was removed: no run to anybody.
inline constexpr std::int64_t kRemovedRun = 0;
inline bool is_final(std::int64_t status) { return status >= AGENTD_RUN_COMPLETED; }

// What of a run's row never changes. Its checksum is the base of the row's.
struct RunBody {
  std::int64_t id = 0, agent = 0, nonce = 0;
  std::int64_t prev = 0;  // the agent's run before, where the rows are linked; 0: it is the first
  std::string_view key, payload;
  std::int64_t revision = 0, entered = 0;
  std::int64_t checksum() const { return Checksum().add(id).add(agent).add(nonce).add(prev).add(key).add(payload).add(revision).add(entered).value(); }
};

// What of it changes: only when the run waits, is given back or ends, and when its worker has died.
struct RunState {
  std::int64_t status = AGENTD_RUN_QUEUED, due = 0, last = 0;
  std::int64_t deaths = 0;  // workers that died while they held it
  std::int64_t checksum(std::int64_t body) const { return Checksum(body).add(status).add(due).add(last).add(deaths).value(); }
};

struct RecordBody {
  std::int64_t position = 0;
  std::int64_t run = 0;   // its id; 0 for a record of the host; -agent for a record of an agent alone
  std::int64_t prev = 0;  // the run's record before; of the first: the entry
  std::int64_t kind = 0, at = 0;
  std::string_view payload;
  std::int64_t checksum() const { return Checksum().add(position).add(run).add(prev).add(kind).add(at).add(payload).value(); }
};

// A run's row, read again.
struct RunFound {
  std::string agent, payload;
  std::int64_t nonce = 0, revision = 0, body_checksum = 0;
  RunState state;
  bool fits = false;  // the checksum does
};

struct Account {
  Spend spent, held, raised;
};
using AccountName = std::pair<std::string, std::int64_t>;  // and its window
struct Held {
  AccountName account;
  std::int64_t call = 0;
  Spend most;
  std::uint64_t generation = 0;  // of the claim
};

struct Removed {
  std::int64_t runs = 0, records = 0;
  bool more = false;
};
enum class Forgotten { wholly, in_part, it_lives, there_is_none };

// Where a group's rows go, in its transaction. Whatever is thrown, the group has not happened.
class Rows {
 public:
  virtual ~Rows() = default;

  // Of a run that has just come in. False: its agent has one with that key already, and nothing was done.
  virtual bool insert_run(const RunBody& body, const RunState& state, bool aside) = 0;
  virtual agentd_run_id first_with_key(std::int64_t agent, const std::string& key) = 0;  // position 0: none
  virtual void update_run(const LiveRun& run) = 0;                                        // to what it is now
  virtual std::optional<RunFound> find_run(std::int64_t id) = 0;
  virtual void came_back(std::int64_t run) = 0;  // from a final status: it lives again
  virtual void insert_record(const RecordBody& record) = 0;

  virtual void insert_agent(std::int64_t id, const std::string& name, std::uint32_t max_concurrent, const std::string& stats) = 0;
  virtual void limit_agent(std::int64_t id, std::uint32_t max_concurrent) = 0;
  virtual void stats_agent(std::int64_t id, const std::string& stats, std::int64_t newest) = 0;  // newest: of its runs
  virtual void state_agent(std::int64_t id, const std::string& state) = 0;

  struct LatestSpec {
    std::int64_t revision = 0;
    std::string content;
  };
  virtual std::optional<LatestSpec> latest_spec(std::int64_t agent) = 0;
  virtual bool had_spec(std::int64_t agent, const std::string& content) = 0;  // some revision of it
  virtual void insert_spec(std::int64_t agent, std::int64_t revision, std::int64_t at, const std::string& content) = 0;
  virtual void put_cursor(const std::string& name, std::int64_t position) = 0;

  virtual std::optional<Account> read_account(const AccountName& name) = 0;  // what is held in it need not be said
  virtual void put_account(const AccountName& name, const Account& account) = 0;
  virtual void put_holds(std::int64_t run, const std::vector<Held>& holds) = 0;  // in place of those it had

  virtual Removed prune(const Remove& what, std::int64_t now) = 0;
  virtual Forgotten forget(const agentd_run_id& run) = 0;

  // Every thousand positions or so: live runs and records that their rows do not know of stand there or later.
  virtual void keep_marks(std::int64_t live_from, std::int64_t tail_from) = 0;
};

}  // namespace agentd::ledger
