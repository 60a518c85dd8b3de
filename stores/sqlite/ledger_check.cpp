#include "ledger_check.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ledger_rows.hpp"
#include "ledger_schema.hpp"

namespace agentd::sqlite {
namespace {

constexpr std::int64_t kRowsOfAPage = 256, kMostFindings = 1'000;
constexpr std::size_t kBytesOfAPage = 4 << 20, kMostGaps = 5;

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
  Check(const std::filesystem::path& file, std::function<void(const Finding&)> found)
      : db_(file, Db::Mode::read),
        found_(std::move(found)),
        entries_(db_, std::string("SELECT ") + RunRow::kColumns + " FROM runs WHERE id>? AND id<=? ORDER BY id"),
        records_(db_, std::string("SELECT ") + RecordRow::kColumns + " FROM records WHERE position>? AND position<=? ORDER BY position"),
        run_(db_, "SELECT 1 FROM runs WHERE id=?"),
        before_(db_, "SELECT max(id) FROM runs WHERE agent=? AND id<?") {}

  Seen run() {
    Statement newest(db_, "SELECT max((SELECT ifnull(max(id),0) FROM runs),(SELECT ifnull(max(position),0) FROM records))");
    if (newest.step()) end_ = newest.integer(0);
    newest.reset();
    read_agents();
    while (page()) {}
    look_at_open_chains();
    look_at_gaps();
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

  void read_agents() {
    Statement agents(db_, "SELECT id FROM agents");
    while (agents.step()) newest_of_agent_.emplace(agents.integer(0), 0);
  }

  // Both tables as they are at one instant. False: all has been read.
  bool page() try {
    const Snapshot snapshot(db_);
    Reading entries(entries_, position_, end_), records(records_, position_, end_);
    bool has_entry = entries.next(), has_record = records.next();
    std::size_t bytes = 0;
    for (std::int64_t rows = 0; rows < kRowsOfAPage && bytes < kBytesOfAPage && (has_entry || has_record); ++rows) {
      const bool entry_first = has_entry && (!has_record || entries->integer(0) < records->integer(0));
      if (entry_first) {
        const RunRow row(*entries);
        bytes += row.body.payload.size();
        pass(row.body.id);
        look_at(row);
        has_entry = entries.next();
      } else {
        const RecordRow row(*records);
        bytes += row.payload.size();
        pass(row.position);
        look_at(row);
        has_record = records.next();
      }
    }
    return has_entry || has_record;
  } catch (const Enough&) {
    return enough_ = true, false;
  }

  void pass(std::int64_t position) {
    if (position > position_ + 1) {
      missing_ += position - position_ - 1;
      if (gaps_.size() < kMostGaps) gaps_.emplace_back(position_ + 1, position - 1);
    }
    position_ = position;
  }

  void look_at(const RunRow& row) {
    ++seen_.runs;
    const auto& body = row.body;
    const agentd_run_id run{body.id, static_cast<std::uint32_t>(body.nonce), 0};
    chains_[body.id] = {run.nonce, body.id, row.state.last, is_final(row.state.status)};
    if (is_final(row.state.status) && row.state.last == body.id) chains_.erase(body.id);
    if (!row.fits) return damaged(body.id, run);
    const auto agent = newest_of_agent_.find(body.agent);
    if (agent == newest_of_agent_.end()) return say(body.id, run, "its agent, number " + std::to_string(body.agent) + ", is missing");
    const auto before = std::exchange(agent->second, body.id);
    if (body.prev == before) return;
    const auto there = run_before(body.agent, body.id);  // it may have been removed meanwhile
    if (there == 0 ? body.prev < body.id && (body.prev == 0 || may_miss_) : body.prev == there) return;
    say(body.id, run, there < body.prev ? "its agent's run before it, at " + at(body.prev) + ", is missing" : "it names " + at(body.prev) + " as its agent's run before it, which is at " + at(there));
  }

  std::int64_t run_before(std::int64_t agent, std::int64_t id) {
    Reading reading(before_, agent, id);
    return reading.next() ? reading->integer(0) : 0;
  }

  void damaged(std::int64_t position, agentd_run_id run) { say(position, run, "the record is damaged: its checksum does not fit"); }

  void look_at(const RecordRow& row) {
    ++seen_.records;
    if (row.run <= 0) return look_at_runless(row);
    const auto known = chains_.find(row.run);
    const agentd_run_id run{row.run, known == chains_.end() ? 0 : known->second.nonce, 0};
    if (known == chains_.end()) {
      if (row.fits) say(row.position, run, is_there(row.run) ? "it stands behind the last record of its run" : "its run's entry, at " + at(row.run) + ", is missing");
      else damaged(row.position, {});
      return;
    }
    auto& chain = known->second;
    const auto before = std::exchange(chain.newest, row.position);
    if (chain.ended && row.position == chain.last) chains_.erase(known);
    if (!row.fits) return damaged(row.position, run);
    if (row.prev != before) say(row.position, run, row.prev > before ? "the record before it, at " + at(row.prev) + ", is missing" : "it names " + at(row.prev) + " as the record before it, which is at " + at(before));
  }

  void look_at_runless(const RecordRow& row) {
    if (!row.fits) return damaged(row.position, {});
    if (row.run < 0 && !newest_of_agent_.contains(-row.run)) say(row.position, {}, "its agent, number " + std::to_string(-row.run) + ", is missing");
  }

  bool is_there(std::int64_t run) {
    Reading reading(run_, run);
    return reading.next();
  }

  void look_at_open_chains() try {
    if (enough_) return;
    std::vector<std::int64_t> open;
    for (const auto& [run, chain] : chains_)
      if (chain.newest < chain.last && chain.last <= end_) open.push_back(run);
    std::ranges::sort(open);
    for (const auto run : open) {
      const auto& chain = chains_.at(run);
      if (is_there(run)) say(chain.last, {run, chain.nonce, 0}, "the last record of its run is missing");
    }
  } catch (const Enough&) {
    enough_ = true;
  }

  void look_at_gaps() {
    if (enough_ || missing_ == 0) return;
    const auto removed = read_meta(db_, meta::kRemoved);
    if (missing_ <= removed) return;
    std::string where;
    for (const auto& [first, last] : gaps_) where += (where.empty() ? "" : ", ") + std::to_string(first) + (first == last ? "" : " to " + std::to_string(last));
    if (gaps_.size() == kMostGaps) where += " and more";
    found_({0, {}, "of the positions that are not there (" + where + ") " + std::to_string(missing_ - removed) + " were never removed: rows are missing"});
  }

  Db db_;
  const std::function<void(const Finding&)> found_;
  Statement entries_, records_, run_, before_;
  std::int64_t position_ = 0, end_ = 0, missing_ = 0, findings_ = 0;
  std::vector<std::pair<std::int64_t, std::int64_t>> gaps_;
  std::unordered_map<std::int64_t, Chain> chains_;
  std::unordered_map<std::int64_t, std::int64_t> newest_of_agent_;
  const bool may_miss_ = read_meta(db_, meta::kRemoved) > 0;
  bool enough_ = false;
  Seen seen_;
};

void refuse_what_is_no_ledger(const std::filesystem::path& file) {
  Db db(file, Db::Mode::read);
  if (is_new(db)) throw DbError(SQLITE_NOTADB, file.string() + " is empty or no ledger");
  const auto schema = read_meta(db, meta::kSchema);
  if (schema > kSchemaVersion) throw DbError(SQLITE_ERROR, file.string() + " has schema " + std::to_string(schema) + ", and this agentd knows up to " + std::to_string(kSchemaVersion));
}

}  // namespace

Seen check_ledger(const std::filesystem::path& file, std::function<void(const Finding&)> found) {
  refuse_what_is_no_ledger(file);
  return Check(file, std::move(found)).run();
}

}  // namespace agentd::sqlite
