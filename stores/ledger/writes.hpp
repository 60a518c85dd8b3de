// What the ledger is asked to write, copied out of the caller's memory.
#pragma once
#include <agentd/abi/ledger.h>

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace agentd::ledger {

struct Entry {
  std::string agent_id, key, payload;
  std::int64_t due = 0, revision = 0;
  std::uint32_t nonce = 0;
  std::int32_t status = 0, overlap = 0;
  bool leaves_record = true;
  std::uint32_t queue_size = 0, max_concurrent = 1;
};

struct Record {
  std::int32_t kind = 0;
  std::string payload;
};

struct Spend {
  std::int64_t tokens = 0, cost = 0;
  Spend& operator+=(const Spend& more) { return tokens += more.tokens, cost += more.cost, *this; }
  Spend& operator-=(const Spend& less) { return tokens -= less.tokens, cost -= less.cost, *this; }
};
struct Hold {
  std::string account;
  std::int64_t window = 0, call = 0;
  Spend most, limit;
};
struct Settle {
  std::int64_t call = 0;
  std::optional<Spend> used;
};
struct Raise {
  std::string account;
  std::int64_t window = 0;
  Spend by;
};

struct Fence {
  std::string lease;  // empty: none
  std::uint64_t generation = 0;
};

struct Enqueue {
  std::vector<Entry> entries;
};

struct Transition {
  agentd_run_id run{};
  std::uint64_t generation = 0;
  std::string agent_id;
  std::vector<Record> records;
  std::vector<Entry> follow_ups;
  std::int32_t next = 0;
  std::int64_t due = 0;
  bool has_state = false;
  std::string agent_state, error;
  std::vector<Settle> settles;
  std::vector<Raise> raises;
  std::vector<Hold> holds;
  std::int64_t in_quarantine = 0;
  Fence fence;
};

// A claim is over without a record: what it held is settled. Nobody waits for an answer.
struct LetGo {
  agentd_run_id run{};
  std::uint64_t generation = 0;
  bool died = false;  // its worker did
};

struct Spec {
  std::string agent_id, content;
  bool is_newest = true;
};
struct PutSpecs {
  std::vector<Spec> specs;
};

struct Cursor {
  std::string name;
  std::int64_t position = 0;
  Fence fence;
};
struct PutCursors {
  std::vector<Cursor> cursors;
};

// Of what ended long ago, or of one run.
struct Remove {
  std::int64_t before = 0, upto = 0, window_before = 0;
  std::size_t most = 0;
  agentd_run_id run{};
  Fence fence;
};

struct Write {
  agentd_op op = 0;
  std::int64_t now = 0;
  std::variant<Enqueue, Transition, LetGo, PutSpecs, PutCursors, Remove> what;
};

Write own(const agentd_ledger_enqueue& enqueue);
Write own(const agentd_ledger_transition& transition);
Write own(const agentd_ledger_specs& specs);
Write own(const agentd_ledger_cursors& cursors);
Write own(const agentd_ledger_remove& remove, std::int64_t now = 0);

}  // namespace agentd::ledger
