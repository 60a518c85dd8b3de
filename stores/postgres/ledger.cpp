#include "ledger.hpp"

#include <algorithm>

#include "ledger_schema.hpp"

namespace agentd::postgres {
namespace {

constexpr std::size_t kMostWrites = 1024;   // of one group: what the last of them waits for
constexpr int kGroupsInARow = 64;           // before the worker thread is given to somebody else
constexpr std::chrono::milliseconds kTryEvery{200}, kProbeEvery{1000};
constexpr std::int64_t kAskAgainAfter_ms = 1000;  // a claim that was answered with nothing, for a reason that passes

agentd_ledger_standing standing(const Agent& agent, std::uint64_t version) {
  const auto& s = agent.stats;
  return {sdk::str(agent.name), agent.queued(), agent.running(), s.run_count, s.error_count, s.consecutive_failures, s.last_run, sdk::str(s.last_error), version};
}

Place place_of(const Settings& config) {
  refuse_bad_url(config.url->reveal());
  if (config.schema.empty() || config.schema.size() > 40) throw sdk::Error("schema: a name of 1 to 40 letters is needed");
  return {config.url->reveal(), config.schema};
}

}  // namespace

Ledger::Ledger(const Settings& config, const sdk::Host& host)
try : host_(host),
      place_(place_of(config)),
      most_skew_ms_(config.clock_skew.value.count()),
      writer_(place_, mirror_, mutex_, lease_, clock_, host_.host(), [this](Group& group) { tell(group, 0, Author::elsewhere); }),
      reads_(place_, host_, mirror_, mutex_, most_skew_ms_) {
  auto found = writer_.open();
  found.epoch = writer_.epoch();
  tell(found, 0);
  auto joined = writer_.write({}, {}, {});
  told(joined, 0);
  Keeper::Ears ears;
  ears.look = [this] { look(); };
  ears.trouble = [this](const std::string& why) { trouble(why); };
  keeper_ = std::make_unique<Keeper>(place_, channel_of(place_.schema), lease_, clock_, std::move(ears));
} catch (const std::runtime_error& e) {
  throw sdk::Error(std::string("the ledger cannot be opened: ") + e.what());
}

Ledger::~Ledger() {
  keeper_.reset();
  try_timer_.cancel();
  probe_timer_.cancel();
  writer_.leave();
}

// ---- slots

void Ledger::write(Write write) {
  {
    const std::lock_guard lock(arrivals_mutex_);
    arrivals_.writes.push_back(std::move(write));
    if (std::exchange(writing_, true)) return;
  }
  submit();
}

void Ledger::claim(agentd_op op, std::int64_t now, std::size_t n) {
  if (troubled_ || full_ || !clocks_agree(now)) return give_nothing(op, now + kAskAgainAfter_ms);
  {
    const std::lock_guard lock(mutex_);
    const auto next = mirror_.claim(now, 0).next_due;
    if (next > now) return host_.claimed(op, {nullptr, 0, nullptr, 0, next});
  }
  {
    const std::lock_guard lock(arrivals_mutex_);
    arrivals_.asks.push_back({op, now, n});
    if (std::exchange(writing_, true)) return;
  }
  submit();
}

void Ledger::give_nothing(agentd_op op, std::int64_t next_due) { host_.claimed(op, {nullptr, 0, nullptr, 0, next_due}); }

// What the engine asks for behind this is decided behind it.
void Ledger::abandon(const agentd_run_id& run, std::uint64_t generation) { write({0, 0, LetGo{run, generation}}); }

void Ledger::serve(std::string_view name, bool can) {
  bool due = false;
  {
    const std::lock_guard lock(mutex_);
    due = mirror_.serve(mirror_.agent(name), can);
  }
  if (due) host_.due();
}

// Who holds them is read; the writer is asked only where one is free.
void Ledger::lease(agentd_op op, std::vector<std::string> names) {
  read(op, [this, op, names = std::move(names)](LedgerReads& reads) mutable {
    if (const auto held = reads.leases(names, lease_.worker())) {
      host_.numbers(op, held->data(), held->size());
      return host_.done(op);
    }
    {
      const std::lock_guard lock(arrivals_mutex_);
      arrivals_.leases.push_back({op, std::move(names)});
      if (std::exchange(writing_, true)) return;
    }
    submit();
  });
}

// The lease first: it is made anew only behind what others have written.
std::int32_t Ledger::claim_state(const agentd_run_id& run, std::uint64_t generation) {
  if (!lease_.is_trusted()) return AGENTD_CLAIM_UNSURE;
  const std::lock_guard lock(mutex_);
  const auto* known = mirror_.find(run.position);
  return known && known->nonce == run.nonce && known->generation == generation ? AGENTD_CLAIM_HELD : AGENTD_CLAIM_LOST;
}

void Ledger::backup(agentd_op op, const std::string&) { host_.failed(op, AGENTD_LEDGER_UNAVAILABLE, use_pg_dump(place_.schema)); }

void Ledger::read(agentd_op op, sdk::Callback<void(LedgerReads&)> read) {
  auto body = [this, op, read = std::move(read)]() mutable {
    try {
      read(reads_);
    } catch (const CorruptError& e) {
      host_.failed(op, AGENTD_LEDGER_CORRUPT, e.what());
    } catch (const PgError& e) {
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

// A schedule that is ticked by a clock that is wrong makes slots that are none, and what it claims is due to nobody else.
bool Ledger::clocks_agree(std::int64_t now) {
  const auto ahead = clock_.ahead_ms(now);
  const bool agree = std::abs(ahead) <= most_skew_ms_;
  if (!agree && !skewed_.exchange(true))
    host_.host().log(sdk::Level::error, "this machine's clock is " + std::to_string(std::abs(ahead)) + (ahead > 0 ? " ms ahead of" : " ms behind") + " the database server's: nothing is taken in and nothing begins here until they agree; set it (NTP)");
  if (agree && skewed_.exchange(false)) host_.host().log(sdk::Level::info, "this machine's clock agrees with the database server's again");
  return agree;
}

// ---- the writer

void Ledger::submit() {
  try {
    sdk::on_worker(host_.host(), 0, [this] { take_turns(); });
  } catch (const std::exception& e) {
    Turn turn;
    while (next_turn(turn)) {
      refuse(turn.leases, e.what());
      refuse(std::move(turn.writes), turn.asks, AGENTD_LEDGER_UNAVAILABLE, e.what());
    }
  }
}

void Ledger::look() {
  {
    const std::lock_guard lock(arrivals_mutex_);
    arrivals_.look = true;
    if (std::exchange(writing_, true)) return;
  }
  submit();
}

bool Ledger::next_turn(Turn& turn) {
  const std::lock_guard lock(arrivals_mutex_);
  turn = {};
  turn.look = std::exchange(arrivals_.look, false);
  turn.asks.swap(arrivals_.asks);
  turn.leases.swap(arrivals_.leases);
  if (arrivals_.writes.size() <= kMostWrites) {
    turn.writes.swap(arrivals_.writes);
  } else {
    const auto end = arrivals_.writes.begin() + kMostWrites;
    turn.writes.assign(std::make_move_iterator(arrivals_.writes.begin()), std::make_move_iterator(end));
    arrivals_.writes.erase(arrivals_.writes.begin(), end);
  }
  writing_ = turn.look || !turn.asks.empty() || !turn.leases.empty() || !turn.writes.empty();
  return writing_;
}

void Ledger::take_turns() {
  if (is_open_ && !find_out()) return;
  Turn turn;
  for (int i = 0; i < kGroupsInARow; ++i) {
    if (!next_turn(turn)) return;
    if (full_) probe();
    if (!take(turn)) return;
  }
  submit();
}

bool Ledger::take(Turn& turn) {
  refuse_by_clock(turn.writes);
  turn.writes.insert(turn.writes.begin(), std::make_move_iterator(let_go_.begin()), std::make_move_iterator(let_go_.end()));
  let_go_.clear();
  const auto begin = std::chrono::steady_clock::now();  // how slow the server is, for people; nothing is decided upon it
  try {
    const bool is_needed = turn.look && writer_.look();
    if (is_needed || !turn.writes.empty() || !turn.asks.empty() || !turn.leases.empty()) {
      auto wrote = writer_.write(std::move(turn.writes), turn.asks, turn.leases);
      told(wrote, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    }
    no_trouble();
    return true;
  } catch (const Undetermined& e) {
    trouble(e.what());
    refuse(turn.leases, e.what());  // which are asked for again
    asks_ = std::move(turn.asks);
    is_open_ = true;
    open_since_ = since_boot();
    return try_later();
  } catch (const PgError& e) {
    if (e.disk_full()) disk_is_full();
    else if (!e.damaged()) trouble(e.what());
    refuse(turn.leases, e.what());
    refuse(writer_.take_back(), turn.asks, e.disk_full() ? AGENTD_LEDGER_DISK_FULL : e.damaged() ? AGENTD_LEDGER_CORRUPT : AGENTD_LEDGER_UNAVAILABLE, e.what());
  } catch (const std::exception& e) {
    trouble(e.what());
    refuse(turn.leases, e.what());
    refuse(writer_.take_back(), turn.asks, AGENTD_LEDGER_UNAVAILABLE, e.what());
  }
  return true;
}

void Ledger::refuse(const std::vector<LedgerWriter::LeaseAsk>& leases, std::string_view why) {
  for (const auto& ask : leases) host_.failed(ask.op, AGENTD_LEDGER_UNAVAILABLE, why);
}

// writing_ stays, so that what arrives gathers behind it.
bool Ledger::try_later() {
  try {
    try_timer_ = sdk::Timer(host_.host(), kTryEvery, [this] { submit(); });
  } catch (const std::exception&) {
    submit();
  }
  return false;
}

// Whether the group whose answer was lost has happened. After a lease's length nobody waits for that any more.
bool Ledger::find_out() {
  try {
    auto wrote = writer_.determine();
    is_open_ = false;
    told(wrote, 0);
    no_trouble();
  } catch (const Undetermined& e) {
    if (since_boot() - open_since_ < kLease) return try_later();
    is_open_ = false;
    writer_.give_up();
    refuse(writer_.take_back(), asks_, AGENTD_LEDGER_UNKNOWN_OUTCOME, std::string("the answer to a commit was lost, and the server cannot be asked what became of it: ") + e.what());
  } catch (const std::exception& e) {
    is_open_ = false;
    refuse(writer_.take_back(), asks_, AGENTD_LEDGER_UNAVAILABLE, e.what());
  }
  return true;
}

void Ledger::refuse_by_clock(std::vector<Write>& writes) {
  std::vector<Write> refused;
  std::erase_if(writes, [&](Write& write) {
    if (!std::holds_alternative<Enqueue>(write.what) || clocks_agree(write.now)) return false;
    refused.push_back(std::move(write));
    return true;
  });
  if (!refused.empty()) refuse(std::move(refused), {}, AGENTD_LEDGER_UNAVAILABLE, "this machine's clock and the database server's do not agree; ask another replica, or set the clock");
}

void Ledger::refuse(std::vector<Write> writes, const std::vector<Ask>& asks, std::int32_t fault, std::string_view why) {
  Group group;
  group.last_position = writer_.last_position();
  for (auto& write : writes) {
    const auto* let_go = std::get_if<LetGo>(&write.what);
    if (let_go && !let_go->died) let_go_.push_back(write);
    else if (!let_go) group.answers.push_back({write.op, fault, std::holds_alternative<Remove>(write.what), 0, nullptr, 0, nullptr, 0, 0, 0, sdk::str(why)});
  }
  if (!group.answers.empty()) tell(group, 0);
  for (const auto& ask : asks) give_nothing(ask.op, ask.now + kAskAgainAfter_ms);
}

// ---- telling

void Ledger::told(LedgerWriter::Wrote& wrote, double seconds) {
  tell(wrote.group, seconds);
  for (const auto& given : wrote.leases) {
    host_.numbers(given.op, given.generations.data(), given.generations.size());
    host_.done(given.op);
  }
  for (const auto& given : wrote.given) {
    const std::lock_guard lock(mutex_);  // until the host has copied what is borrowed from the mirror
    std::vector<agentd_ledger_claim> runs;
    std::vector<const Agent*> agents;
    for (const auto* run : given.claims.runs) {
      runs.push_back({{run->id, run->nonce, 0}, run->generation, sdk::str(run->agent->name), run->revision, run->has_records(), static_cast<std::uint32_t>(run->state.deaths),
                      sdk::str(run->payload)});
      if (std::ranges::find(agents, run->agent) == agents.end()) agents.push_back(run->agent);
    }
    std::vector<agentd_ledger_standing> standings;
    ++version_;
    for (const auto* agent : agents) standings.push_back(standing(*agent, version_));
    host_.claimed(given.op, {runs.data(), runs.size(), standings.data(), standings.size(), given.claims.next_due});
  }
}

// noexcept: it throws only when memory is out, and nobody may wait for ever for what is durable.
void Ledger::tell(const Group& group, double seconds, Author author) noexcept {
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
  told.last_position = group.last_position;
  told.commit_seconds = seconds;
  told.accepting = !full_;
  told.due = group.due;
  told.accounts = group.accounts.data(), told.account_count = group.accounts.size();
  told.epoch = sdk::str(group.epoch);
  told.elsewhere = author == Author::elsewhere;
  host_.committed(told);
}

void Ledger::trouble(const std::string& what) {
  if (!troubled_.exchange(true)) host_.host().log(sdk::Level::error, "the ledger's server: " + what + "; nothing is written until that is over");
}

void Ledger::no_trouble() {
  if (!troubled_.exchange(false)) return;
  host_.host().log(sdk::Level::info, "the ledger's server: it takes writes again");
  host_.due();
}

// ---- a full disk

void Ledger::disk_is_full() {
  if (!full_.exchange(true)) host_.host().log(sdk::Level::error, "the disk of the ledger's server is full; nothing is accepted until there is room");
  probe_timer_ = sdk::Timer(host_.host(), kProbeEvery, [this] { look(); });
}

void Ledger::probe() {
  try {
    writer_.probe();
  } catch (const PgError&) {
    return disk_is_full();
  }
  full_ = false;
  host_.host().log(sdk::Level::info, "the disk of the ledger's server has room again");
  Group again;
  again.last_position = writer_.last_position();
  again.due = true;
  tell(again, 0);
}

}  // namespace agentd::postgres
