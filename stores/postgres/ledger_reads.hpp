// Reading the ledger back, on a connection of its own.
#pragma once
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ledger_rows.hpp"
#include "link.hpp"
#include "stores/ledger/host.hpp"
#include "stores/ledger/list_filter.hpp"
#include "stores/ledger/mirror.hpp"

namespace agentd::postgres {

// Any thread that may block; one read at a time. Throws PgError and CorruptError. Each answers its operation, except by throwing. Large
// answers are read page by page, each a short transaction.
// What is damaged fails the load of its own run alone: lists and events are given without it, and the log is told its position once.
class LedgerReads {
 public:
  LedgerReads(Place place, const LedgerHost& host, const Mirror& mirror, std::mutex& mirror_mutex, std::int64_t most_skew_ms);

  void load(agentd_op op, agentd_run_id run);
  void list(agentd_op op, const ListFilter& filter);
  void events_after(agentd_op op, std::int64_t position, std::uint64_t limit);
  void spec(agentd_op op, const std::string& agent, std::int64_t revision);
  void agent_state(agentd_op op, const std::string& agent);
  void cursors(agentd_op op, const std::vector<std::string>& names);
  void sessions(agentd_op op, std::int64_t worker);
  // With which generation the worker holds each of these, 0: another one that lives does; nothing: one of them is free.
  std::optional<std::vector<std::int64_t>> leases(const std::vector<std::string>& names, std::int64_t worker);

 private:
  std::vector<std::int64_t> live_ids(const ListFilter& filter) const;
  RunState state_of(const RunRow& row) const;
  Rowset rows_of(const ListFilter& filter);
  Rowset ask(const Statement& statement, const Parameters& parameters);
  void pass_over(std::int64_t position);

  std::mutex mutex_;
  Link link_;
  LedgerHost host_;
  const Mirror& mirror_;
  std::mutex& mirror_mutex_;
  const std::int64_t most_skew_ms_;
  std::set<std::int64_t> told_;  // damaged positions that the log knows of
};

}  // namespace agentd::postgres
