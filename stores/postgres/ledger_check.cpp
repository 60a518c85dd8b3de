#include "ledger_check.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ledger_rows.hpp"

namespace agentd::postgres {
namespace {

constexpr std::int64_t kPositionsOfAPage = 512, kMostFindings = 1'000;
constexpr std::size_t kMostGaps = 5;

constexpr Statement kHead{"SELECT position,removed FROM head"};
constexpr Statement kAgents{"SELECT id FROM agents"};
constexpr Statement kEntries{"SELECT " AGENTD_RUN_ROW "WHERE r.id>$1::int8 AND r.id<=$2::int8 ORDER BY r.id"};
constexpr Statement kRecords{"SELECT " AGENTD_RECORD_COLUMNS " FROM records c WHERE c.position>$1::int8 AND c.position<=$2::int8 ORDER BY c.position"};
constexpr Statement kRun{"SELECT 1 FROM runs WHERE id=$1::int8"};
constexpr Statement kHeld{"SELECT a.name,a.day FROM accounts a LEFT JOIN (SELECT account,day,sum(tokens)::int8 AS tokens,sum(cost)::int8 AS cost FROM holds GROUP BY account,day) h "
                          "ON h.account=a.name AND h.day=a.day WHERE a.held_tokens<>coalesce(h.tokens,0) OR a.held_cost<>coalesce(h.cost,0) ORDER BY a.name,a.day LIMIT 100"};

std::string at(std::int64_t position) { return "position " + std::to_string(position); }

// What has been seen of a run that is not over yet, in order of position.
struct Chain {
  std::uint32_t nonce = 0;
  std::int64_t newest = 0;  // its latest row
  std::int64_t last = 0;    // what its own row says is the latest
  bool ended = false;
};

class Check {
 public:
  Check(Connection& connection, std::function<void(const Finding&)> found) : c_(connection), found_(std::move(found)) {}

  Seen run() {
    const auto head = c_.ask(kHead);
    if (head.empty()) {
      found_({0, {}, "the table head has no row: what the ledger held is lost"});
      return seen_;
    }
    end_ = head.integer(0, 0) - 1;
    const auto agents = c_.ask(kAgents);
    for (int i = 0; i < agents.rows(); ++i) agents_.insert(agents.integer(i, 0));
    try {
      while (looked_ < end_) page();
      look_at_open_chains();
    } catch (const Enough&) {
      return seen_;
    }
    look_at_gaps();
    look_at_accounts();
    return seen_;
  }

 private:
  struct Enough {};  // thrown: no more findings are told

  void say(std::int64_t position, agentd_run_id run, std::string text) {
    found_({position, run, std::move(text)});
    if (++findings_ < kMostFindings) return;
    found_({0, {}, "there is more; the rest was not looked at"});
    throw Enough{};
  }
  void damaged(std::int64_t position, agentd_run_id run) { say(position, run, "the record is damaged: its checksum does not fit"); }

  // Both tables as they are at one instant.
  void page() {
    const auto upto = std::min(end_, looked_ + kPositionsOfAPage);
    Transaction snapshot(c_, Transaction::Kind::snapshot);
    c_.send(kEntries, Parameters(looked_, upto));
    c_.send(kRecords, Parameters(looked_, upto));
    snapshot.send_commit();
    const auto results = c_.sync();
    const auto &entries = results[1], &records = results[2];
    int entry = 0, record = 0;
    while (entry < entries.rows() || record < records.rows()) {
      if (record == records.rows() || (entry < entries.rows() && entries.integer(entry, 0) < records.integer(record, 0))) look_at(RunRow(entries, entry++));
      else look_at(RecordRow(records, record++));
    }
    looked_ = upto;
  }

  void pass(std::int64_t position) {
    if (position > position_ + 1) {
      missing_ += position - position_ - 1;
      if (gaps_.size() < kMostGaps) gaps_.emplace_back(position_ + 1, position - 1);
    }
    position_ = position;
  }

  void look_at(const RunRow& row) {
    pass(row.body.id);
    ++seen_.runs;
    const agentd_run_id run{row.body.id, static_cast<std::uint32_t>(row.body.nonce), 0};
    const bool ended = is_final(row.state.status) || row.state.status == kRemovedRun;
    if (!ended || row.state.last != row.body.id) chains_[row.body.id] = {run.nonce, row.body.id, row.state.last, ended};
    if (!row.fits) return damaged(row.body.id, run);
    if (!agents_.contains(row.body.agent)) say(row.body.id, run, "its agent, number " + std::to_string(row.body.agent) + ", is missing");
  }

  void look_at(const RecordRow& row) {
    pass(row.position);
    ++seen_.records;
    if (row.run <= 0) {
      if (!row.fits) return damaged(row.position, {});
      if (row.run < 0 && !agents_.contains(-row.run)) say(row.position, {}, "its agent, number " + std::to_string(-row.run) + ", is missing");
      return;
    }
    const auto known = chains_.find(row.run);
    if (known == chains_.end()) {
      if (!row.fits) return damaged(row.position, {});
      return say(row.position, {row.run, 0, 0}, is_there(row.run) ? "it stands behind the last record of its run" : "its run's entry, at " + at(row.run) + ", is missing");
    }
    auto& chain = known->second;
    const agentd_run_id run{row.run, chain.nonce, 0};
    const auto before = std::exchange(chain.newest, row.position);
    if (chain.ended && row.position == chain.last) chains_.erase(known);
    if (!row.fits) return damaged(row.position, run);
    if (row.prev != before) say(row.position, run, row.prev > before ? "the record before it, at " + at(row.prev) + ", is missing" : "it names " + at(row.prev) + " as the record before it, which is at " + at(before));
  }

  bool is_there(std::int64_t run) { return !c_.ask(kRun, Parameters(run)).empty(); }

  void look_at_open_chains() {
    std::vector<std::int64_t> open;
    for (const auto& [run, chain] : chains_)
      if (chain.newest < chain.last && chain.last <= end_) open.push_back(run);
    std::ranges::sort(open);
    for (const auto run : open)
      if (is_there(run)) say(chains_.at(run).last, {run, chains_.at(run).nonce, 0}, "the last record of its run is missing");
  }

  // What was removed while the rows were looked at is not missing either.
  void look_at_gaps() {
    pass(end_ + 1);
    if (missing_ == 0) return;
    const auto head = c_.ask(kHead);
    const auto removed = head.empty() ? 0 : head.integer(0, 1);
    if (missing_ <= removed) return;
    std::string where;
    for (const auto& [first, last] : gaps_) where += (where.empty() ? "" : ", ") + std::to_string(first) + (first == last ? "" : " to " + std::to_string(last));
    if (gaps_.size() == kMostGaps) where += " and more";
    found_({0, {}, "of the positions that are not there (" + where + ") " + std::to_string(missing_ - removed) + " were never removed: rows are missing"});
  }

  void look_at_accounts() {
    const auto wrong = c_.ask(kHeld);
    for (int i = 0; i < wrong.rows(); ++i)
      found_({0, {}, "the account " + wrong.text(i, 0) + " of the window " + std::to_string(wrong.integer(i, 1)) + " does not hold what its calls hold"});
  }

  Connection& c_;
  const std::function<void(const Finding&)> found_;
  std::int64_t looked_ = 0, position_ = 0, end_ = 0, missing_ = 0, findings_ = 0;
  std::vector<std::pair<std::int64_t, std::int64_t>> gaps_;
  std::unordered_map<std::int64_t, Chain> chains_;
  std::set<std::int64_t> agents_;
  Seen seen_;
};

}  // namespace

Seen check_ledger(Connection& connection, std::function<void(const Finding&)> found) { return Check(connection, std::move(found)).run(); }

}  // namespace agentd::postgres
