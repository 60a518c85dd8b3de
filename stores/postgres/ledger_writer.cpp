#include "ledger_writer.hpp"

#include <agentd/sdk/host.hpp>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>

#include "ledger_schema.hpp"

namespace agentd::postgres {
namespace {

using std::chrono::milliseconds;

// Of a group's number: the claims that one group may give.
constexpr int kClaimBits = 20;

constexpr Statement kPatientSnapshot{"SET LOCAL statement_timeout='60s'"};
constexpr Statement kClock{"SELECT (extract(epoch FROM clock_timestamp())*1000)::int8"};
constexpr Statement kNonce{"SELECT nonce FROM groups WHERE number=$1::int8"};
constexpr Statement kJoin{"INSERT INTO workers(id,until,host,process,version) VALUES($1::int8,clock_timestamp()+$2::int8*interval '1 ms',$3::text,$4::int8,$5::text)"};
constexpr Statement kExtend{"UPDATE workers SET until=clock_timestamp()+$2::int8*interval '1 ms',ahead=$3::int8 WHERE id=$1::int8"};
constexpr Statement kDropWorkers{"DELETE FROM workers WHERE id=ANY($1::int8[])"};
constexpr Statement kLeave{"UPDATE workers SET until='-infinity' WHERE id=$1::int8"};
constexpr Statement kProbe{"INSERT INTO specs(agent,revision,at,content) VALUES(0,0,0,$1::bytea) ON CONFLICT DO NOTHING"};
constexpr Statement kProbed{"DELETE FROM specs WHERE agent=0"};
constexpr Statement kLeases{"SELECT name,worker,generation FROM leases"};
constexpr Statement kTakeLease{"INSERT INTO leases(name,worker,generation) VALUES($1::text,$2::int8,$3::int8) ON CONFLICT(name) DO UPDATE SET worker=excluded.worker,generation=excluded.generation"};
constexpr Statement kNotify{"SELECT pg_notify($1::text,$2::text)"};

std::int64_t random_number() {
  std::int64_t value = 0;
  while (value == 0)
    if (::getrandom(&value, sizeof value, 0) != sizeof value) value = 0;
  return value & INT64_MAX;
}

template <class Is>
bool any_fence(const Write& write, Is is) {
  if (const auto* transition = std::get_if<Transition>(&write.what)) return is(transition->fence);
  if (const auto* remove = std::get_if<Remove>(&write.what)) return is(remove->fence);
  const auto* put = std::get_if<PutCursors>(&write.what);
  return put && std::ranges::any_of(put->cursors, is, &Cursor::fence);
}

bool is_fence(const Fence& fence) { return !fence.lease.empty(); }

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "";
}

}  // namespace

LedgerWriter::LedgerWriter(Place place, Mirror& mirror, std::mutex& mutex, Lease& lease, ServerClock& clock, const sdk::Host& host, Follower::Tell tell)
    : link_(std::move(place)),
      mirror_(mirror),
      mutex_(mutex),
      lease_(lease),
      clock_(clock),
      host_(host),
      tell_(std::move(tell)),
      groups_(tables_, mirror, mutex, GroupWriter::Runs::alone),
      follower_(mirror, mutex, groups_.budgets(), host) {}

Group LedgerWriter::open() {
  auto& c = link_.get();
  const auto before = since_boot();
  const auto now_ms = c.ask(kClock).integer(0, 0);
  clock_.heard(now_ms, before, since_boot());
  bring_up_to_date(c, link_.place().schema, kLedgerTables);
  Transaction snapshot(c, Transaction::Kind::snapshot);
  c.ask(kPatientSnapshot);
  const auto head = Follower::head(c.ask(Follower::kHead));
  epoch_ = head.epoch;
  auto group = follower_.read_all(c, head);
  snapshot.send_commit();
  c.sync();
  return group;
}

// ---- a group

LedgerWriter::Wrote LedgerWriter::write(std::vector<Write> writes, const std::vector<Ask>& asks, const std::vector<LeaseAsk>& leases) {
  under_ = std::make_unique<Under>();
  auto& under = *under_;
  under.writes = std::move(writes);
  under.began = since_boot();
  bool committing = false;
  try {
    auto& c = link_.get();
    Transaction transaction(c);
    c.send(Follower::kLockedHead);
    c.send(Follower::kWorkers);
    const bool by_lease = !leases.empty() || std::ranges::any_of(under.writes, [](const Write& write) { return any_fence(write, is_fence); });
    if (by_lease) c.send(kLeases);
    tables_.begin(c);
    tables_.send_lookups(under.writes, groups_.budgets());
    const auto results = c.sync();
    const auto head = Follower::head(results.at(1));
    if (follower_.is_behind(head)) follower_.follow(c, head, tell_);
    const auto workers = Follower::workers(results.at(2));
    tables_.take_lookups(results, by_lease ? 4 : 3);
    Leases held;
    for (int i = 0; by_lease && i < results[3].rows(); ++i) {
      const auto holder = std::ranges::find(workers, results[3].integer(i, 1), &Worker::id);
      held[results[3].text(i, 0)] = {results[3].integer(i, 1), results[3].integer(i, 2), holder != workers.end() && (!holder->is_dead || holder->id == lease_.worker())};
    }
    decide(head, workers, asks, std::move(held), leases);
    if (!tables_.changed() && !under.joins && !under.extends) return keep();
    tables_.send(under.row);
    if (workers.size() > 1 || (workers.size() == 1 && workers[0].id != lease_.worker())) c.send(kNotify, Parameters(channel_of(link_.place().schema), std::to_string(under.row.worker)));
    transaction.send_commit();
    committing = true;
    c.sync();
  } catch (const PgError& e) {
    if (committing && e.lost()) throw Undetermined(e.what());
    undo();
    throw;
  } catch (...) {
    undo();
    throw;
  }
  return keep();
}

void LedgerWriter::decide(const Head& head, const std::vector<Worker>& workers, const std::vector<Ask>& asks, Leases leases, const std::vector<LeaseAsk>& lease_asks) {
  auto& under = *under_;
  under.joins = std::ranges::none_of(workers, [this](const Worker& one) { return one.id == lease_.worker(); });
  under.extends = !under.joins && lease_.age() >= kExtendAfter;
  under.row.worker = under.joins ? random_number() : lease_.worker();
  under.row.number = head.groups + 1;
  under.row.nonce = random_number();
  auto& c = link_.get();
  Column dead(Column::Type::int8);
  std::vector<Write> over;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& worker : workers)
      if (worker.is_dead && worker.id != lease_.worker()) dead.add(worker.id);
    for (const auto& [id, run] : mirror_.runs()) {
      if (run.generation == 0) continue;
      const auto holder = std::ranges::find(workers, run.worker, &Worker::id);
      const bool is_over = holder == workers.end() || (holder->is_dead && holder->id != lease_.worker());
      if (is_over) over.push_back({0, 0, LetGo{{id, run.nonce, 0}, run.generation, true}});
    }
  }
  for (const auto& stray : follower_.take_strays()) over.push_back({0, 0, stray});
  under.writes.insert(under.writes.begin(), std::make_move_iterator(over.begin()), std::make_move_iterator(over.end()));

  fence_off(leases);
  groups_.go_on_from(head.next);
  under.wrote.group = groups_.decide(under.writes);
  for (const auto& write : under.fenced_off)
    under.wrote.group.answers.push_back({write.op, AGENTD_LEDGER_STALE, std::holds_alternative<Remove>(write.what), 0, nullptr, 0, nullptr, 0, 0, 0, sdk::str("another process does this now")});
  for (const auto& ask : lease_asks) take_leases(ask, leases);
  if (!asks.empty()) {
    const std::lock_guard lock(mutex_);
    mirror_.claims_follow(static_cast<std::uint64_t>(under.row.number) << kClaimBits);
  }
  for (const auto& ask : asks) give(ask);
  under.row.next_position = groups_.next().position;
  under.row.next_agent = groups_.next().agent;
  if (dead.count()) c.send(kDropWorkers, Parameters(dead)), tables_.touch();
  if (under.joins) c.send(kJoin, Parameters(under.row.worker, std::int64_t{kLease.count()}, host_name(), std::int64_t{::getpid()}, std::string_view(AGENTD_HOST_VERSION)));
  if (under.extends) c.send(kExtend, Parameters(under.row.worker, std::int64_t{kLease.count()}, clock_.last_ahead_ms()));
}

// What arrived before a lease was taken is decided before it is.
void LedgerWriter::fence_off(const Leases& leases) {
  const auto is_stale = [&](const Fence& fence) {
    const auto known = leases.find(fence.lease);
    return is_fence(fence) && (known == leases.end() || known->second.worker != lease_.worker() || static_cast<std::uint64_t>(known->second.generation) != fence.generation);
  };
  std::erase_if(under_->writes, [&](Write& write) {
    if (!any_fence(write, is_stale)) return false;
    under_->fenced_off.push_back(std::move(write));
    return true;
  });
}

void LedgerWriter::take_leases(const LeaseAsk& ask, Leases& leases) {
  const auto me = under_->row.worker;
  auto& given = under_->wrote.leases.emplace_back(LeasesGiven{ask.op, {}});
  for (const auto& name : ask.names) {
    auto& held = leases[name];
    if (!held.lives) {
      held = {me, under_->row.number, true};
      link_.get().send(kTakeLease, Parameters(std::string_view(name), me, held.generation));
      tables_.touch();
    }
    given.generations.push_back(held.worker == me ? held.generation : 0);
  }
}

void LedgerWriter::give(const Ask& ask) {
  auto& given = under_->wrote.given.emplace_back(Given{ask.op, {}});
  const std::lock_guard lock(mutex_);
  given.claims = mirror_.claim(ask.now, ask.n);
  for (const auto* run : given.claims.runs) {
    mirror_.find(run->id)->worker = under_->row.worker;
    tables_.claim(*run);
  }
}

LedgerWriter::Wrote LedgerWriter::keep() {
  auto& under = *under_;
  const bool wrote = tables_.changed() || under.joins || under.extends;
  groups_.keep(under.wrote.group);
  tables_.applied();
  if (wrote) {
    follower_.wrote(under.row.number, under.row.next_position);
    if (under.joins) lease_.begin(under.row.worker, under.began);
    else if (under.extends) lease_.extended(under.began);
    follower_.i_am(lease_.worker());
  }
  kept_writes_ = std::move(under.writes);  // the group's texts are theirs
  auto out = std::move(under.wrote);
  under_.reset();
  return out;
}

void LedgerWriter::undo() noexcept {
  groups_.forget();
  tables_.forgotten();
  const std::lock_guard lock(mutex_);
  for (const auto& given : under_->wrote.given) {
    for (std::size_t i = 0; i < given.claims.runs.size(); ++i) {
      const auto& run = *given.claims.runs[i];
      Mirror::Change back{run.state, run.since, 0, 0};
      back.state.status = given.claims.were[i];
      mirror_.change(run.id, back);
    }
  }
  kept_writes_ = std::move(under_->writes);
  std::ranges::move(under_->fenced_off, std::back_inserter(kept_writes_));
  under_.reset();
}

// Who has the head's row locked knows that the transaction is over, one way or the other.
LedgerWriter::Wrote LedgerWriter::determine() {
  bool happened = false;
  try {
    auto& c = link_.get();
    Transaction transaction(c);
    c.send(Follower::kLockedHead);
    const auto rows = c.ask(kNonce, Parameters(under_->row.number));
    happened = !rows.empty() && rows.integer(0, 0) == under_->row.nonce;
  } catch (const PgError& e) {
    throw Undetermined(e.what());
  }
  if (happened) return keep();
  undo();
  throw PgError({}, "the connection to the server was lost before it had done anything");
}

void LedgerWriter::give_up() { undo(); }

// ---- between groups

bool LedgerWriter::look() {
  auto& c = link_.get();
  Transaction snapshot(c, Transaction::Kind::snapshot);
  c.send(Follower::kHead);
  c.send(Follower::kWorkers);
  const auto results = c.sync();
  const auto head = Follower::head(results.at(1));
  if (follower_.is_behind(head)) follower_.follow(c, head, tell_);
  snapshot.send_commit();
  c.sync();
  const auto workers = Follower::workers(results.at(2));
  const auto me = lease_.worker();
  const bool known = std::ranges::any_of(workers, [me](const Worker& one) { return one.id == me; });
  return !known || follower_.has_strays() || std::ranges::any_of(workers, [me](const Worker& one) { return one.is_dead && one.id != me; });
}

void LedgerWriter::probe() {
  std::string bulk(1 << 16, ' ');
  for (std::size_t i = 0; i < bulk.size(); i += 256) (void)!::getrandom(bulk.data() + i, 256, 0);
  auto& c = link_.get();
  Transaction transaction(c);
  c.send(kProbe, Parameters(bulk));
  c.send(kProbed);
  transaction.send_commit();
  c.sync();
}

void LedgerWriter::leave() noexcept {
  try {
    auto* const connection = link_.current();
    if (lease_.worker() == 0 || !connection) return;
    connection->send(kLeave, Parameters(lease_.worker()));
    connection->send(kNotify, Parameters(channel_of(link_.place().schema), std::to_string(lease_.worker())));
    connection->sync(milliseconds(2000));
  } catch (const PgError& e) {
    host_.log(sdk::Level::info, std::string("the ledger's server was not told that this worker ends, and finds out by itself: ") + e.what());
  }
}

}  // namespace agentd::postgres
