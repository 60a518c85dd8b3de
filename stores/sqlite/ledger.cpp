#include "ledger.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "ledger_schema.hpp"

namespace agentd::sqlite {
namespace {

constexpr std::size_t kMostWrites = 1024;             // of one group: what the last of them waits for
constexpr int kGroupsInARow = 64;                     // before the worker thread is given to somebody else
constexpr std::chrono::milliseconds kProbeEvery{1000};
constexpr std::chrono::milliseconds kLookEvery{1000};  // whether the files are where they were
// While somebody else has the file, a group is tried so often before those who wait for it are told. After that each is tried once.
constexpr std::chrono::milliseconds kTryEvery{100}, kLockWait{10};
constexpr int kMostTries = 20;

agentd_ledger_standing standing(const Agent& agent, std::uint64_t version) {
  const auto& s = agent.stats;
  return {sdk::str(agent.name), agent.queued(), agent.running(), s.run_count, s.error_count, s.consecutive_failures, s.last_run, sdk::str(s.last_error), version};
}

}  // namespace

Ledger::Ledger(const Settings& config, const sdk::Host& host)
try : host_(host),
      file_(file_in(config, "ledger.db")),
      lock_(file_),
      marks_(file_),
      db_(file_, Db::Mode::write, Db::Space::given_back),
      lock_place_(stores::FileLock::path_for(file_)),
      file_place_(file_),
      opened_(open_ledger(db_, marks_, host)),
      mirror_(*opened_.mirror),
      writer_(db_, mirror_, mutex_, {opened_.next_position, opened_.next_agent}),
      reads_(file_, host_, mirror_, mutex_) {
  db_.wait_for_locks(kLockWait);  // the writer has a way of its own to wait, that keeps no thread
  if (!marks_.usable()) host_.host().log(sdk::Level::warn, file_.string() + ".claims cannot be opened: the death of a host over a run without a record is not counted");
  Group found;
  for (const auto& agent : mirror_.agents()) found.agents.push_back(agent.get());
  found.accounts = writer_.recent_accounts();
  found.epoch = opened_.epoch;
  tell(found, 0);
  look_after_files();
} catch (const DbError& e) {
  throw sdk::Error(std::string("the ledger cannot be opened: ") + e.what());
}

Ledger::~Ledger() {
  look_timer_.cancel();
  probe_timer_.cancel();
  try_timer_.cancel();
}

// ---- slots

void Ledger::write(Write write) {
  {
    const std::lock_guard lock(arrivals_mutex_);
    arrivals_.push_back(std::move(write));
    if (std::exchange(writing_, true)) return;
  }
  submit_writer();
}

void Ledger::claim(agentd_op op, std::int64_t now, std::size_t n) {
  const std::lock_guard lock(mutex_);  // until the host has copied what is borrowed from the mirror
  const auto found = mirror_.claim(now, n);
  std::vector<agentd_ledger_claim> runs;
  std::vector<Agent*> agents;
  std::vector<ClaimMarks::Claimed> marks;
  for (const auto* run : found.runs) {
    marks.push_back({run->id, run->state.last});
    runs.push_back({{run->id, run->nonce, 0}, run->generation, sdk::str(run->agent->name), run->revision, run->has_records(), static_cast<std::uint32_t>(run->state.deaths),
                    sdk::str(run->payload)});
    if (std::find(agents.begin(), agents.end(), run->agent) == agents.end()) agents.push_back(run->agent);
  }
  marks_.put(marks);
  std::vector<agentd_ledger_standing> standings;
  ++version_;
  for (const auto* agent : agents) standings.push_back(standing(*agent, version_));
  host_.claimed(op, {runs.data(), runs.size(), standings.data(), standings.size(), found.next_due});
}

void Ledger::abandon(const agentd_run_id& id, std::uint64_t generation) {
  bool due = false;
  {
    const std::lock_guard lock(mutex_);
    const auto* run = mirror_.find(id.position);
    if (!run || run->nonce != id.nonce || generation == 0 || run->generation != generation) return;
    const ClaimMarks::Claimed given_up{run->id, ClaimMarks::kGivenUp};
    marks_.put({&given_up, 1});
    due = mirror_.abandon(id.position, generation);
  }
  write({0, 0, LetGo{id, generation}});
  if (due) host_.due();
}

void Ledger::serve(std::string_view name, bool can) {
  bool due = false;
  {
    const std::lock_guard lock(mutex_);
    due = mirror_.serve(mirror_.agent(name), can);
  }
  if (due) host_.due();
}

void Ledger::read(agentd_op op, sdk::Callback<void(LedgerReads&)> read) {
  auto body = [this, op, read = std::move(read)]() mutable {
    try {
      read(reads_);
    } catch (const CorruptError& e) {
      host_.failed(op, AGENTD_LEDGER_CORRUPT, e.what());
    } catch (const DbError& e) {
      host_.failed(op, e.damaged() ? AGENTD_LEDGER_CORRUPT : AGENTD_LEDGER_UNAVAILABLE, e.what());
    } catch (const std::exception& e) {
      host_.failed(op, AGENTD_LEDGER_UNAVAILABLE, e.what());
    }
  };
  try {
    sdk::on_worker(host_.host(), 0, std::move(body));
  } catch (const std::exception& e) {
    host_.failed(op, AGENTD_LEDGER_UNAVAILABLE, e.what());
  }
}

// ---- the writer

void Ledger::submit_writer() {
  try {
    sdk::on_worker(host_.host(), 0, [this] { run_writer(); });
  } catch (const std::exception& e) {
    Turn turn;
    while (next_turn(turn)) refuse(turn.writes, AGENTD_LEDGER_UNAVAILABLE, e.what());
  }
}

bool Ledger::next_turn(Turn& turn) {
  const std::lock_guard lock(arrivals_mutex_);
  turn.writes.clear();
  turn.probe = std::exchange(probe_wanted_, false);
  turn.copy = copying_.has_value();
  if (arrivals_.size() <= kMostWrites) {
    turn.writes.swap(arrivals_);
  } else {
    const auto end = arrivals_.begin() + kMostWrites;
    turn.writes.assign(std::make_move_iterator(arrivals_.begin()), std::make_move_iterator(end));
    arrivals_.erase(arrivals_.begin(), end);
  }
  writing_ = !turn.writes.empty() || turn.probe || turn.copy;
  return writing_;
}

void Ledger::run_writer() {
  Turn turn;
  for (int i = 0; i < kGroupsInARow; ++i) {
    if (!next_turn(turn)) return;
    if (turn.probe) probe();
    if (!turn.writes.empty() && !commit(turn.writes)) return;
    if (turn.copy) go_on_with_backup();
    bound_wal();
  }
  submit_writer();
}

// Whatever is thrown, the group is rolled back: nothing of it has happened, so it may be tried again, here or by who asked for it.
bool Ledger::commit(std::vector<Write>& writes) {
  const auto begin = std::chrono::steady_clock::now();  // how slow the disk is, for people; nothing is decided upon it
  Group group;
  try {
    group = writer_.write(writes);
  } catch (const DbError& e) {
    if (e.locked() && keep_for_later(writes)) return false;
    if (e.disk_full()) {
      disk_is_full();
    } else if (!e.damaged()) {
      trouble(e.locked() ? "another process has locked it" : e.what());
    }
    refuse(writes, e.disk_full() ? AGENTD_LEDGER_DISK_FULL : e.damaged() ? AGENTD_LEDGER_CORRUPT : AGENTD_LEDGER_UNAVAILABLE, e.what());
    return true;
  } catch (const std::exception& e) {
    trouble(e.what());
    refuse(writes, AGENTD_LEDGER_UNAVAILABLE, e.what());
    return true;
  }
  no_trouble();
  group.due |= std::exchange(full_, false);
  tell(group, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  return true;
}

// writing_ stays, so that what arrives gathers behind them.
bool Ledger::keep_for_later(std::vector<Write>& writes) {
  if (troubled_ || ++tries_ >= kMostTries) return false;
  {
    const std::lock_guard lock(arrivals_mutex_);
    arrivals_.insert(arrivals_.begin(), std::make_move_iterator(writes.begin()), std::make_move_iterator(writes.end()));
  }
  try {
    try_timer_ = sdk::Timer(host_.host(), kTryEvery, [this] { submit_writer(); });
  } catch (const std::exception&) {
    submit_writer();
  }
  return true;
}

void Ledger::trouble(const char* what) {
  if (!std::exchange(troubled_, true)) host_.host().log(sdk::Level::error, file_.string() + ": " + what + "; nothing is written until that is over");
}

void Ledger::no_trouble() {
  tries_ = 0;
  if (std::exchange(troubled_, false)) host_.host().log(sdk::Level::info, file_.string() + ": it can be written again");
}

void Ledger::refuse(const std::vector<Write>& writes, std::int32_t fault, std::string_view why) {
  Group group;
  for (const auto& write : writes) group.answers.push_back({write.op, fault, 0, 0, nullptr, 0, nullptr, 0, 0, 0, sdk::str(why)});
  tell(group, 0);
}

// noexcept: it throws only when memory is out, and nobody may wait for ever for what is durable.
void Ledger::tell(const Group& group, double seconds) noexcept {
  std::vector<agentd_ledger_standing> standings;
  standings.reserve(group.agents.size());
  {
    const std::lock_guard lock(mutex_);
    ++version_;
    for (const auto* agent : group.agents) standings.push_back(standing(*agent, version_));
  }
  agentd_ledger_group told{};
  told.answers = group.answers.data(), told.answer_count = group.answers.size();
  told.records = group.records.data(), told.record_count = group.records.size();
  told.standings = standings.data(), told.standing_count = standings.size();
  told.last_position = writer_.last_position();
  told.wal_bytes = db_.wal_bytes();
  told.commit_seconds = seconds;
  told.accepting = !full_;
  told.due = group.due;
  told.accounts = group.accounts.data(), told.account_count = group.accounts.size();
  told.epoch = sdk::str(group.epoch);
  host_.committed(told);
}

void Ledger::bound_wal() {
  try {
    db_.bound_wal();
  } catch (const DbError& e) {
    if (e.disk_full()) {
      disk_is_full();
      refuse({}, AGENTD_LEDGER_DISK_FULL, {});
    } else {
      host_.host().log(sdk::Level::warn, std::string("checkpoint: ") + e.what());
    }
  }
}

// ---- a copy of the whole, by the writer's own connection: what is written between its parts goes into the copy by itself

void Ledger::backup(agentd_op op, std::string file) {
  {
    const std::lock_guard lock(arrivals_mutex_);
    if (copying_) return host_.failed(op, AGENTD_LEDGER_UNAVAILABLE, "a backup is being made");
    copying_ = {op, std::move(file), nullptr};
    if (std::exchange(writing_, true)) return;
  }
  submit_writer();
}

void Ledger::go_on_with_backup() {
  auto& copying = *copying_;  // nobody else changes it while it is there
  try {
    if (!copying.backup) copying.backup = std::make_unique<Backup>(db_, copying.file);
    if (copying.backup->step()) return;
  } catch (const std::exception& e) {
    return end_backup(e.what());
  }
  end_backup(nullptr);
}

// The disk may take long over what was copied: that is no business of the writer's.
void Ledger::end_backup(const char* why) {
  Copying copying;
  {
    const std::lock_guard lock(arrivals_mutex_);
    copying = std::move(*copying_);
    copying_.reset();
  }
  if (why) {
    copying.backup.reset();
    return host_.failed(copying.op, AGENTD_LEDGER_UNAVAILABLE, why);
  }
  copying.backup->let_go();
  auto keep = [this, op = copying.op, backup = std::move(copying.backup)] {
    try {
      backup->keep();
      host_.done(op);
    } catch (const std::exception& e) {
      host_.failed(op, AGENTD_LEDGER_UNAVAILABLE, e.what());
    }
  };
  try {
    sdk::on_worker(host_.host(), 0, std::move(keep));
  } catch (const std::exception& e) {
    host_.failed(copying.op, AGENTD_LEDGER_UNAVAILABLE, e.what());
  }
}

// ---- a full disk

void Ledger::disk_is_full() {
  if (!std::exchange(full_, true)) host_.host().log(sdk::Level::error, file_.string() + ": the disk is full; nothing is accepted until there is room");
  const auto ask = [this] {
    {
      const std::lock_guard lock(arrivals_mutex_);
      probe_wanted_ = true;
      if (std::exchange(writing_, true)) return;
    }
    submit_writer();
  };
  probe_timer_ = sdk::Timer(host_.host(), kProbeEvery, ask);
}

void Ledger::probe() {
  if (!full_) return;
  try {
    db_.checkpoint(false);
    Transaction transaction(db_);
    db_.run("INSERT OR REPLACE INTO meta VALUES('probe', zeroblob(65536))");
    transaction.commit();
    db_.run("DELETE FROM meta WHERE key='probe'");
  } catch (const DbError&) {
    return disk_is_full();
  }
  full_ = false;
  host_.host().log(sdk::Level::info, file_.string() + ": the disk has room again");
  Group again;
  again.due = true;
  tell(again, 0);
}

// ---- files that are taken away

// What is written into a file without a name is lost, and who finds the name free begins a ledger of their own: there is nothing left
// that could be done right. Ends the process as a failed fsync does.
void Ledger::look_after_files() {
  for (const auto* place : {&lock_place_, &file_place_}) {
    if (!place->lost()) continue;
    host_.host().log(sdk::Level::error, place->path().string() + " was removed, moved or replaced while it was in use, so that nothing could be kept any more; the process ends");
    std::_Exit(EXIT_FAILURE);
  }
  look_timer_ = sdk::Timer(host_.host(), kLookEvery, [this] { look_after_files(); });
}

}  // namespace agentd::sqlite
