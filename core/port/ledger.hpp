// The ledger: one durable log that is the truth about every run. Its writes are one operation, commit; the rest decides what runs.
//
// A run's entry is its first record, and names it: RunId::position is the entry's position. All later records point at their run.
// Positions follow commit order without gaps over entries and records together.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/async.hpp"
#include "core/base/ids.hpp"
#include "core/base/result.hpp"
#include "core/base/time.hpp"

namespace agentd::port {

enum class RunStatus : std::int32_t {
  queued = 1,
  running = 2,
  waiting = 3,
  completed = 10,
  failed = 11,
  timed_out = 12,
  cancelled = 13,
  quarantined = 14,
  skipped = 15,
  dropped = 16,
  missed = 17,
};
const char* name(RunStatus status);
std::optional<RunStatus> run_status(std::string_view name);
inline bool is_final(RunStatus s) { return s >= RunStatus::completed; }

// aside: a run beside the agent's own, until it ends. It waits in a queue beside theirs and takes a place beside theirs, of which an agent
// has one; no overlap sees it, and its end leaves the agent's counts as they are.
enum class Overlap : std::int32_t { queue = 0, skip = 1, cancel_previous = 2, allow = 3, aside = 4 };

// A run asked for, or a slot that gave none.
struct Entry {
  std::string agent_id;
  std::string key;                       // unique per agent; empty: none. A slot's key is "agent_id@instant"
  std::uint32_t nonce = 0;               // random; becomes part of the run's id
  Instant due_at{};                      // not claimed before
  std::int64_t revision = 0;             // of the agent's spec; the run keeps it
  RunStatus status = RunStatus::queued;  // or a final one: skipped, dropped, missed
  Overlap overlap = Overlap::queue;      // decided here, against every live run of the agent that is not aside
  bool leaves_record = true;             // when refused (skipped or full): a record with that status. false: only the answer says so
  std::uint32_t queue_size = 100;        // runs of the agent that are queued or waiting; of one aside: runs aside that are
  std::uint32_t max_concurrent = 1;      // runs of the agent in flight, without one that is aside
  std::string payload;                   // the record's content, for the engine to read back
};

struct Admission {
  enum class Kind { accepted, duplicate, skipped, full } kind = Kind::accepted;
  RunId run;                             // the new run, or with duplicate the first one; none when refused without a record
  std::vector<RunId> cancel;             // with cancel_previous: what it pushes aside
};

// What model calls use up.
struct Spend {
  std::int64_t tokens = 0;
  NanoDollars cost = 0;
  friend bool operator==(const Spend&, const Spend&) = default;
};

// What one model call may come to, kept free in an account from before it starts until its end is durable. An account is a name and a
// window: a number that grows with time, of which each has a count of its own.
struct Hold {
  std::string account;
  std::int64_t window = 0;
  std::int64_t call = 0;                 // names it within its run
  Spend most;
  Spend limit;                           // of what is spent and held together; 0: none
};

// A call has ended: what was held for it is let go and what it used is spent, in the window in which it was held.
struct Settle {
  std::int64_t call = 0;
  std::optional<Spend> used;             // nothing: nobody knows, so all that was held is spent
};

// More for an account in one window than its limit.
struct Raise {
  std::string account;
  std::int64_t window = 0;
  Spend by;                              // not negative
};

// An account in one window.
struct Account {
  std::string name;
  std::int64_t window = 0;
  Spend spent, held, raised;
};

// What one of all who share a ledger does. A write that names it is stale once somebody else has taken the lease.
struct Fence {
  std::string lease;                     // empty: everybody may
  std::uint64_t generation = 0;          // as LedgerSharing::lease said
};

struct Record {
  std::int32_t kind = 0;                 // never 0, which is the entry
  std::string payload;
};

// Everything one step of a run changes, as one unit.
struct Transition {
  RunId run;                             // none: a record of the host or of an agent, without a run
  std::uint64_t generation = 0;          // from the claim; 0: of a run that nobody has claimed (queued or waiting). A stale one refuses this transition alone
  std::string agent_id;                  // with no run: whose record it is; may be empty
  std::vector<Record> records;           // at least one; of an agent without a run also none, when follow_ups or agent_state say what changes
  std::optional<RunStatus> next;         // queued (given back), waiting or final; nothing: goes on running
  Instant due_at{};                      // with queued and waiting: not claimed before
  std::vector<Entry> follow_ups;         // runs that this one starts
  std::optional<std::string> agent_state;  // a native task's state to keep, JSON
  // In this order, and before the rest. Holds that a run's earlier claims left are settled in full before, and whatever a run holds when
  // it ends, waits or is given back is settled in full behind them. A hold that does not fit refuses the transition: over_budget.
  std::vector<Settle> settles;
  std::vector<Raise> raises;
  std::vector<Hold> holds;
  std::string error;                     // with a final status that is an error: what AgentStats::last_error becomes
  // Not 0: of a run in quarantine, whose latest record this is; anything later makes it stale. It gets records and stays there, goes
  // back into the queue with next = queued, its deaths counted from zero, or is given up with next = dropped. Nothing else leaves a
  // final status.
  Position in_quarantine = 0;
  Fence fence{};
};

struct StoredRecord {
  Position position = 0;
  Instant at{};
  RunId run;                             // of an entry: itself
  std::string agent_id;
  std::int32_t kind = 0;                 // 0: the entry
  RunStatus status{};                    // of an entry: as it came in
  std::string payload;
  bool elsewhere = false;                // of a group that is fed: another worker wrote it
};

struct Claim {
  RunId run;
  std::uint64_t generation = 0;          // larger than every earlier one of this run, also before a restart
  std::string agent_id;
  std::int64_t revision = 0;
  bool has_records = false;              // it ran before: load it
  std::string payload;                   // the entry's
  int deaths = 0;                        // workers that died while they held a claim of it, whether they had written a record or not
};

struct Claims {
  std::vector<Claim> runs;
  std::optional<Instant> next_due;       // when claim is worth asking again without a wake; nothing: not before a wake
};

struct RunRow {
  RunId run;
  std::string agent_id;
  std::string key;
  RunStatus status{};
  std::int64_t revision = 0;
  Instant entered_at{};
  Instant due_at{};
  std::string payload;                   // the entry's
  Position last = 0;                     // its latest record
  std::string last_payload;              // that record's content; empty when there is only the entry, or when it is damaged
  std::int32_t last_kind = 0;
};

// Reading a list costs what it gives, not what there is: with a final status no more than the newest 10,000 runs are looked at, counted
// from `before`, which is best the last one that the list before gave; those in quarantine are found wherever they are.
struct RunFilter {
  std::string agent_id;                  // empty: all
  std::optional<RunStatus> status;
  Position before = 0;                   // 0: from the newest
  std::size_t limit = 100;
  // Not empty, and with an agent: its runs with a key from the one to before the other instead, the greatest key first.
  std::string key_from{}, key_before{};
};

// Kept with each run's end, so that counts survive restarts and pruning.
struct AgentStats {
  std::int64_t run_count = 0;            // runs that ended after they had started
  std::int64_t error_count = 0;          // of these: failed, timed_out or quarantined
  std::int64_t consecutive_failures = 0; // since the last completed one
  std::optional<Instant> last_run;       // end of the latest one
  std::string last_error;
};

struct SpecRevision {
  std::int64_t revision = 0;
  std::string content;
};

struct AgentSpecText {
  std::string agent_id;
  std::string content;
  bool is_newest = true;                 // false: content that was current before the current one changes nothing: superseded
};

// What keeping an agent's spec came to.
struct KeptSpec {
  enum class Change : std::int32_t { none = 0, created = 1, updated = 2, superseded = 3 } change = Change::none;
  std::int64_t revision = 0;             // the current one now
  std::string before;                    // with updated: the content that it takes the place of; with superseded: the current content
};

struct Cursor {
  std::string name;
  Position position = 0;
  Fence fence{};
};

enum class LedgerFault {
  stale,            // the run has ended or is somebody else's
  disk_full,        // nothing happened, and nothing will until there is room
  unavailable,      // nothing happened; the same may be asked again
  corrupt,          // what is kept is damaged, or not what was kept; asking again changes nothing
  not_found,
  over_budget,      // a hold did not fit: nothing happened
  unknown_outcome,  // it may have happened or not, so it must not be asked again blindly
};
struct LedgerError {
  LedgerFault fault = LedgerFault::unavailable;
  std::string message;
};
template <class T>
using LedgerResult = std::expected<T, LedgerError>;

// The engine thread only. What keeps a ledger from writing it tells the log itself, once: callers that wait need not.
// A failed fsync ends the process: nobody can say what is durable afterwards.
class Ledger {
 public:
  virtual ~Ledger() = default;

  // ---- writes; each answers when durable
  virtual Async<LedgerResult<std::vector<Admission>>> enqueue(std::vector<Entry> entries) = 0;  // one transaction
  virtual Async<LedgerResult<Position>> commit(Transition transition) = 0;                      // position of its first record
  // Keeps the specs of agents, all or none, and answers for each in order; the content that is current already makes no revision.
  virtual Async<LedgerResult<std::vector<KeptSpec>>> put_specs(std::vector<AgentSpecText> specs) = 0;
  virtual Async<LedgerResult<void>> put_cursors(std::vector<Cursor> cursors) = 0;  // all or none

  // ---- deciding what runs
  // At most n due runs of agents that the worker knows, round-robin over agents, first in first out within one, within
  // max_concurrent. A claim is fenced by its generation until its run ends, waits or is given back. When the clock was set back, nothing
  // waits for longer than it was to wait when its due time was said.
  virtual Async<LedgerResult<Claims>> claim(std::size_t n) = 0;
  // The claim is over without a record: who lost track of what is durable leaves the run to a claim at a higher generation. That is no
  // death. Ignored where the generation does not hold the run any more.
  virtual void abandon(RunId run, std::uint64_t generation) = 0;
  // Whether this worker can execute an agent's runs; it can execute none that it was not told of.
  virtual void serve(std::string agent_id, bool can) = 0;
  // Asks for `wake` on the engine thread whenever a claim may find something that it did not find before.
  virtual void on_due(std::function<void()> wake) = 0;

  // ---- reads; none outlives 50 ms
  virtual Async<LedgerResult<std::vector<StoredRecord>>> load(RunId run) = 0;  // the entry first
  virtual Async<LedgerResult<std::vector<RunRow>>> list(RunFilter filter) = 0;  // newest first
  virtual Async<LedgerResult<std::vector<StoredRecord>>> events_after(Position position, std::size_t limit) = 0;
  virtual Async<LedgerResult<std::optional<SpecRevision>>> spec(std::string agent_id, std::int64_t revision) = 0;  // 0: the current one
  virtual Async<LedgerResult<std::string>> agent_state(std::string agent_id) = 0;  // "null" when there is none
  virtual Async<LedgerResult<std::vector<Position>>> cursors(std::vector<std::string> names) = 0;  // in order; 0 where there is none

  // ---- what is so now, from memory
  virtual std::string epoch() const = 0;  // of this ledger's life: another one when it is made anew or goes on from a backup
  virtual Position last_position() const = 0;
  virtual std::size_t queued(const std::string& agent_id) const = 0;
  virtual std::size_t running(const std::string& agent_id) const = 0;
  virtual AgentStats stats(const std::string& agent_id) const = 0;
  virtual Account account(const std::string& name, std::int64_t window) const = 0;  // empty where nothing was spent, held or raised
  virtual bool accepts() const = 0;  // false while the disk is full
  // Every committed group, in order, on the engine thread, once per group. Set before the first write.
  virtual void on_group(std::function<void(std::span<const StoredRecord>)> feed) = 0;
  struct Vitals {
    std::uint64_t groups = 0, records = 0, wal_bytes = 0;
    double last_commit_seconds = 0;
    std::size_t last_group_size = 0;
  };
  virtual Vitals vitals() const = 0;
};

}  // namespace agentd::port
