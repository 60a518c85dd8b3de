// Reading the ledger back, on a connection of its own. Every read is made of short transactions (a row, or one page), so that none
// holds back the writer's checkpoints.
#pragma once
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ledger_rows.hpp"
#include "stores/ledger/host.hpp"
#include "stores/ledger/list_filter.hpp"
#include "stores/ledger/mirror.hpp"

namespace agentd::sqlite {

// Any thread that may block; one read at a time. Throws DbError and CorruptError. Each answers its operation, except by throwing.
// What is damaged fails the load of its own run alone: lists and events are given without it, and the log is told its position once.
// A run whose last record is damaged is in lists, without that record.
class LedgerReads {
 public:
  LedgerReads(const std::filesystem::path& file, const LedgerHost& host, const Mirror& mirror, std::mutex& mirror_mutex);

  void load(agentd_op op, agentd_run_id run);
  void list(agentd_op op, const ListFilter& filter);
  void events_after(agentd_op op, std::int64_t position, std::uint64_t limit);
  void spec(agentd_op op, const std::string& agent, std::int64_t revision);
  void agent_state(agentd_op op, const std::string& agent);
  void cursors(agentd_op op, const std::vector<std::string>& names);

 private:
  struct StoredPage;
  struct RowPage;
  struct FoundRun;
  std::optional<RunState> live_state(std::int64_t run) const;
  std::optional<FoundRun> find_run(std::int64_t id);
  std::vector<std::int64_t> live_ids(const ListFilter& filter) const;
  std::vector<std::int64_t> ids_in_quarantine(const ListFilter& filter);
  std::vector<std::int64_t> ids_by_key(const ListFilter& filter);
  struct Link;
  Link link(std::int64_t run);
  std::int64_t first_of_agent(const ListFilter& filter, std::int64_t agent);
  void add_runs_of_agent(RowPage& page, const ListFilter& filter);
  void add_runs(RowPage& page, const ListFilter& filter);
  StoredPage events_page(std::int64_t position, std::uint64_t limit);
  void pass_over(std::int64_t position);
  void add_row(RowPage& page, std::int64_t id, const ListFilter& filter);
  std::int64_t agent_row(const std::string& agent);

  std::mutex mutex_;
  Db db_;
  LedgerHost host_;
  const Mirror& mirror_;
  std::mutex& mirror_mutex_;
  std::set<std::int64_t> told_;  // damaged positions that the log knows of
  Statement run_, record_, entries_after_, records_after_, ids_before_, link_, ids_by_key_, quarantine_, agent_, spec_, state_, cursor_;
};

}  // namespace agentd::sqlite
