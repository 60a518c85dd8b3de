#include "ledger_pruning.hpp"

#include <utility>

#include "ledger_schema.hpp"

namespace agentd::sqlite {
namespace {

constexpr std::int64_t kFreedAtOnce = 1024;       // pages: what one step frees, or gives back, takes milliseconds
constexpr std::int64_t kGivenBackAtOnce = 256;    // pages
constexpr std::int64_t kSlack = 1024;             // free pages that are worth keeping for what comes next
constexpr std::size_t kLongestForgetting = 1024;  // records at once
constexpr std::int64_t kRowsAtOnce = 64;

bool gives_back(Db& db) {
  Statement mode(db, "PRAGMA auto_vacuum");
  return mode.step() && mode.integer(0) == 2;
}

}  // namespace

// Of a run, without its content.
struct Pruning::Row {
  std::int64_t id = 0, agent = 0, nonce = 0, prev = 0, status = 0, entered = 0, last = 0;
  bool fits = false;
  bool is_stub() const { return status == kRemovedRun; }
};

// What one step may still do.
class Pruning::Step {
 public:
  Step(Pruning& of, const Remove& asked, std::int64_t now) : what(asked), of_(of), now_(now), left_(static_cast<std::int64_t>(asked.most)), free_before_(of.number(of.free_pages_)) {}
  void took(std::int64_t rows = 1) { left_ -= rows; }
  bool is_over() { return left_ <= 0 || of_.number(of_.free_pages_) - free_before_ > kFreedAtOnce; }
  std::size_t left() const { return left_ > 0 ? static_cast<std::size_t>(left_) : 1; }
  // They came in order, so everything behind it is young as well. What a clock that was ahead wrote says nothing of what is behind it.
  bool ends_at(std::int64_t at) const { return at >= what.before && at <= now_; }
  const Remove& what;

 private:
  Pruning& of_;
  const std::int64_t now_;
  std::int64_t left_, free_before_;
};

Pruning::Pruning(Db& db)
    : db_(db),
      runs_(db, std::string("SELECT ") + RunRow::kColumns + " FROM runs WHERE id>? ORDER BY id LIMIT ?"),
      run_(db, std::string("SELECT ") + RunRow::kColumns + " FROM runs WHERE id=?"),
      link_(db, "SELECT run,prev FROM records WHERE position=?"),
      at_(db, "SELECT at FROM records WHERE position=? AND run=?"),
      records_(db, "SELECT position,run,at FROM records WHERE position>? ORDER BY position LIMIT ?"),
      accounts_(db, "SELECT name,window FROM accounts WHERE (name,window)>(?,?) ORDER BY name,window LIMIT ?"),
      drop_run_(db, "DELETE FROM runs WHERE id=?"),
      drop_record_(db, "DELETE FROM records WHERE position=?"),
      drop_account_(db, "DELETE FROM accounts WHERE name=? AND window=?"),
      stub_(db, "UPDATE runs SET nonce=?,prev=?,key=NULL,status=0,revision=0,due=0,last=?,deaths=0,checksum=?,payload='' WHERE id=?"),
      put_meta_(db, "INSERT INTO meta VALUES(?,?) ON CONFLICT(key) DO UPDATE SET value=excluded.value"),
      free_pages_(db, "PRAGMA freelist_count"),
      pages_(db, "PRAGMA page_count"),
      gives_back_(gives_back(db)) {
  kept_.removed = read_meta(db, meta::kRemoved);
  kept_.window = INT64_MIN;
  now_ = kept_;
}

std::int64_t Pruning::number(Statement& pragma) {
  Reading reading(pragma);
  return reading.next() ? reading->integer(0) : 0;
}

void Pruning::keep(std::int64_t next_position) {
  if (!std::exchange(now_.changed, false)) return;
  put_meta_.exec(std::string_view(meta::kRemoved), now_.removed);
  put_meta_.exec(std::string_view(meta::kNext), next_position);
}

// ---- a sweep, part by part

Removed Pruning::prune(const Remove& what, std::int64_t now) {
  Step step(*this, what, now);
  Removed out;
  if (now_.part == Part::runs) sweep_runs(step, out);
  if (now_.part == Part::records && !step.is_over()) sweep_records(step, out);
  if (now_.part == Part::accounts && !step.is_over()) sweep_accounts(step);
  if (now_.part == Part::space && !step.is_over()) give_back_space(step);
  out.more = !std::exchange(now_.swept, false);
  return out;
}

void Pruning::next_part(Part part) {
  now_.part = part;
  now_.at = 0;
  now_.account.clear();
  now_.window = INT64_MIN;
}

namespace {

template <class Row>
Row row_of(const Statement& s) {
  const RunRow whole(s);
  return {whole.body.id, whole.body.agent, whole.body.nonce, whole.body.prev, whole.state.status, whole.body.entered, whole.state.last, whole.fits};
}

}  // namespace

void Pruning::sweep_runs(Step& step, Removed& out) {
  while (!step.is_over()) {
    std::vector<Row> some;
    {
      Reading reading(runs_, now_.at, kRowsAtOnce);
      while (reading.next()) some.push_back(row_of<Row>(*reading));
    }
    if (some.empty()) return next_part(Part::records);
    for (const auto& row : some) {
      if (step.is_over()) return;
      step.took();
      if (row.fits && step.ends_at(row.entered)) return next_part(Part::records);
      const auto ended = row.fits && row.is_stub() ? std::optional(row.entered) : ended_at(row);
      if (ended && *ended < step.what.before && row.last <= step.what.upto) {
        const bool wholly = remove_run(row, step.left(), &step);
        out.runs += !row.is_stub();
        if (!wholly) return;
      }
      now_.at = row.id;
    }
  }
}

// Nothing: it has not, it waits for a person, or what it says cannot be trusted.
std::optional<std::int64_t> Pruning::ended_at(const Row& row) {
  if (!row.fits || !is_final(row.status) || row.status == AGENTD_RUN_QUARANTINED) return std::nullopt;
  if (row.last == row.id) return row.entered;
  Reading reading(at_, row.last, row.id);
  if (!reading.next()) return std::nullopt;
  return reading->integer(0);
}

// Records of live runs stand between those that belong to none.
void Pruning::sweep_records(Step& step, Removed& out) {
  struct Record {
    std::int64_t position, run, at;
  };
  while (!step.is_over()) {
    std::vector<Record> some;
    {
      Reading reading(records_, now_.at, kRowsAtOnce);
      while (reading.next()) some.push_back({reading->integer(0), reading->integer(1), reading->integer(2)});
    }
    if (some.empty()) return next_part(Part::accounts);
    for (const auto& record : some) {
      if (step.is_over()) return;
      step.took();
      if (step.ends_at(record.at) || record.position > step.what.upto) return next_part(Part::accounts);
      if (record.run <= 0 && record.at < step.what.before) {
        drop_record_.exec(record.position);
        now_.removed += 1, now_.changed = true;
        out.records += 1;
      }
      now_.at = record.position;
    }
  }
}

void Pruning::sweep_accounts(Step& step) {
  while (!step.is_over()) {
    std::vector<std::pair<std::string, std::int64_t>> some;
    {
      Reading reading(accounts_, std::string_view(now_.account), now_.window, kRowsAtOnce);
      while (reading.next()) some.emplace_back(reading->text(0), reading->integer(1));
    }
    if (some.empty()) return next_part(Part::space);
    for (const auto& [name, window] : some)
      if (window < step.what.window_before) drop_account_.exec(std::string_view(name), window);
    step.took(static_cast<std::int64_t>(some.size()));
    now_.account = some.back().first, now_.window = some.back().second;
  }
}

void Pruning::give_back_space(Step& step) {
  const auto free = number(free_pages_);
  const bool worth_it = gives_back_ && free > kSlack && free > number(pages_) / 8;
  if (!worth_it) {
    now_.swept = true;
    return next_part(Part::runs);
  }
  db_.run(("PRAGMA incremental_vacuum(" + std::to_string(kGivenBackAtOnce) + ")").c_str());
  step.took(static_cast<std::int64_t>(step.left()));
}

// ---- one run

// Its records from the latest on, as many as may be removed now. rest: where the chain goes on, the run's own id at its end. Where it is
// broken nothing more can be found.
std::vector<std::int64_t> Pruning::chain_of(const Row& row, std::size_t most, std::int64_t& rest) {
  std::vector<std::int64_t> positions;
  rest = row.last;
  while (rest != row.id && positions.size() < most) {
    Reading reading(link_, rest);
    if (!reading.next() || reading->integer(0) != row.id || reading->integer(1) >= rest) {
      rest = row.id;
      break;
    }
    positions.push_back(rest);
    rest = reading->integer(1);
  }
  return positions;
}

// False: there is more of it than may be removed now, and its row says where to go on.
bool Pruning::remove_run(Row row, std::size_t most, Step* step) {
  std::int64_t rest = 0;
  const auto positions = chain_of(row, most, rest);
  auto next = positions.begin();
  for (; next != positions.end() && !(step && next != positions.begin() && step->is_over()); ++next) {
    drop_record_.exec(*next);
    now_.removed += 1, now_.changed = true;
    if (step) step->took();
  }
  if (next != positions.end()) rest = *next;
  if (rest != row.id) return leave_a_stub(row, row.prev, rest), false;
  drop_row_of(row);
  return true;
}

// The row is gone unless an older run of its agent is still there: then one row is left for all that were removed since.
void Pruning::drop_row_of(const Row& gone) {
  auto prev = gone.prev;
  auto older = row(prev);
  while (older && older->is_stub() && older->last == older->id) {
    drop_run_.exec(older->id);
    now_.removed += 1, now_.changed = true;
    prev = older->prev;
    older = row(prev);
  }
  if (older) return leave_a_stub(gone, prev, gone.id);
  drop_run_.exec(gone.id);
  now_.removed += 1, now_.changed = true;
}

void Pruning::leave_a_stub(const Row& row, std::int64_t prev, std::int64_t last) {
  const auto nonce = last == row.id ? 0 : row.nonce;  // who forgets it comes back with its name
  if (row.is_stub() && row.prev == prev && row.last == last && row.nonce == nonce) return;
  const RunBody body{row.id, row.agent, nonce, prev, {}, {}, 0, row.entered};
  const RunState state{kRemovedRun, 0, last};
  stub_.exec(nonce, prev, last, state.checksum(body.checksum()), row.id);
  now_.changed = true;
}

std::optional<Pruning::Row> Pruning::row(std::int64_t id) {
  if (id == 0) return std::nullopt;
  Reading reading(run_, id);
  if (!reading.next()) return std::nullopt;
  return row_of<Row>(*reading);
}

// Also what is damaged: as much of it as can be found.
Forgotten Pruning::forget(const agentd_run_id& id) {
  const auto found = row(id.position);
  const bool is_gone = found && found->is_stub() && found->last == found->id;
  if (!found || is_gone || found->nonce != id.nonce) return Forgotten::there_is_none;
  if (!found->is_stub() && !is_final(found->status)) return Forgotten::it_lives;
  return remove_run(*found, kLongestForgetting, nullptr) ? Forgotten::wholly : Forgotten::in_part;
}

}  // namespace agentd::sqlite
