#include "core/plugin/ledger_port.hpp"

#include <agentd/abi/ledger.h>

#include "core/plugin/abi_text.hpp"
#include "core/plugin/ledger_files.hpp"
#include "core/plugin/ports.hpp"

namespace agentd::plugin {
namespace {

using port::LedgerFault;
using port::LedgerResult;

std::string text(agentd_str s) { return std::string(view(s)); }
Instant instant(std::int64_t ms) { return Instant(Millis(ms)); }
std::int64_t ms(Instant at) { return at.time_since_epoch().count(); }
RunId run_id(const agentd_run_id& id) { return {id.position, id.nonce}; }
agentd_run_id run_id(const RunId& id) { return {id.position, id.nonce, 0}; }

// ---- from the plugin

std::optional<port::LedgerError> error(std::int32_t fault, agentd_str message) {
  switch (fault) {
    case AGENTD_LEDGER_FINE: return std::nullopt;
    case AGENTD_LEDGER_STALE: return port::LedgerError{LedgerFault::stale, text(message)};
    case AGENTD_LEDGER_DISK_FULL: return port::LedgerError{LedgerFault::disk_full, text(message)};
    case AGENTD_LEDGER_CORRUPT: return port::LedgerError{LedgerFault::corrupt, text(message)};
    case AGENTD_LEDGER_NOT_FOUND: return port::LedgerError{LedgerFault::not_found, text(message)};
    case AGENTD_LEDGER_OVER_BUDGET: return port::LedgerError{LedgerFault::over_budget, text(message)};
    case AGENTD_LEDGER_UNAVAILABLE: return port::LedgerError{LedgerFault::unavailable, text(message)};
    default: return port::LedgerError{LedgerFault::unknown_outcome, text(message)};
  }
}

port::Admission own(const agentd_ledger_admission& a) {
  port::Admission out{static_cast<port::Admission::Kind>(a.kind), run_id(a.run), {}};
  for (std::uint64_t i = 0; i < a.cancel_count; ++i) out.cancel.push_back(run_id(a.cancel[i]));
  return out;
}

port::KeptSpec own(const agentd_ledger_kept& k) { return {static_cast<port::KeptSpec::Change>(k.change), k.revision, text(k.before)}; }

port::StoredRecord own(const agentd_ledger_stored& r) {
  return {r.position, instant(r.at_ms), run_id(r.run), text(r.agent_id), r.kind, static_cast<port::RunStatus>(r.status), text(r.payload)};
}

LedgerStanding own(const agentd_ledger_standing& s) {
  LedgerStanding out{text(s.agent_id), s.queued, s.running, {s.run_count, s.error_count, s.consecutive_failures, {}, text(s.last_error)}, s.version};
  if (s.last_run_ms != INT64_MIN) out.stats.last_run = instant(s.last_run_ms);
  return out;
}

port::Account own(const agentd_ledger_account& a) {
  return {text(a.name), a.window, {a.spent_tokens, a.spent_cost}, {a.held_tokens, a.held_cost}, {a.raised_tokens, a.raised_cost}};
}

port::Claim own(const agentd_ledger_claim& c) {
  return {run_id(c.run), c.generation, text(c.agent_id), c.revision, c.has_records != 0, text(c.payload), static_cast<int>(c.deaths)};
}

port::RunRow own(const agentd_ledger_row& r) {
  return {run_id(r.run), text(r.agent_id), text(r.key), static_cast<port::RunStatus>(r.status), r.revision, instant(r.entered_ms), instant(r.due_ms),
          text(r.payload), r.last, text(r.last_payload), r.last_kind};
}

std::string own(agentd_str s) { return text(s); }
LedgerAnswer own(const agentd_ledger_answer& a);
port::WorkerSession own(const agentd_ledger_session& s);

template <class From>
auto own(const From* items, std::uint64_t count) {
  std::vector<decltype(own(*items))> all;
  all.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) all.push_back(own(items[i]));
  return all;
}

port::WorkerSession own(const agentd_ledger_session& s) {
  return {text(s.id), text(s.host), text(s.version), s.process, instant(s.since_ms), Millis(s.lease_age_ms), Millis(s.clock_ahead_ms), s.clock_is_off != 0, s.is_this != 0, own(s.leases, s.lease_count)};
}

LedgerAnswer own(const agentd_ledger_answer& a) {
  LedgerAnswer out{a.op, error(a.fault, a.message), a.value};
  if (a.admissions) out.value = own(a.admissions, a.admission_count);
  if (a.kept) out.value = own(a.kept, a.kept_count);
  if (a.removal) out.value = port::Pruned{a.runs, a.records, a.value != 0};
  return out;
}

bool is_blank(const LedgerStanding& s) { return s.queued == 0 && s.running == 0 && s.stats.run_count == 0; }

// ---- to the plugin

agentd_ledger_entry lend(const port::Entry& e) {
  return {str(e.agent_id), str(e.key), str(e.payload), ms(e.due_at), e.revision, e.nonce, static_cast<std::int32_t>(e.status), static_cast<std::int32_t>(e.overlap),
          e.leaves_record, e.queue_size, e.max_concurrent};
}

agentd_ledger_record lend(const port::Record& r) { return {r.kind, 0, str(r.payload)}; }
agentd_ledger_spec lend(const port::AgentSpecText& s) { return {str(s.agent_id), str(s.content), s.is_newest, 0}; }
agentd_ledger_fence lend(const port::Fence& f) { return {str(f.lease), f.generation}; }
agentd_ledger_cursor lend(const port::Cursor& c) { return {str(c.name), c.position, lend(c.fence)}; }
agentd_ledger_settle lend(const port::Settle& s) { return s.used ? agentd_ledger_settle{s.call, s.used->tokens, s.used->cost} : agentd_ledger_settle{s.call, -1, 0}; }
agentd_ledger_raise lend(const port::Raise& r) { return {str(r.account), r.window, r.by.tokens, r.by.cost}; }
agentd_ledger_hold lend(const port::Hold& h) { return {str(h.account), h.window, h.call, h.most.tokens, h.most.cost, h.limit.tokens, h.limit.cost}; }
agentd_str lend(const std::string& s) { return str(s); }

template <class From>
auto lend(const std::vector<From>& items) {
  std::vector<decltype(lend(items.front()))> all;
  all.reserve(items.size());
  for (const auto& item : items) all.push_back(lend(item));
  return all;
}

// ---- agentd.host.ledger/1

LedgerInbox& inbox(agentd_host* host) { return static_cast<LedgerInbox&>(*Instance::of(host).extension()); }

void committed(agentd_host* host, const agentd_ledger_group* g) noexcept {
  LedgerGroup group{own(g->answers, g->answer_count), own(g->records, g->record_count), own(g->standings, g->standing_count), g->last_position, g->wal_bytes,
                    g->commit_seconds, g->accepting != 0, g->due != 0, own(g->accounts, g->account_count), text(g->epoch), g->elsewhere != 0};
  inbox(host).post([group = std::move(group)](LedgerPort& port) mutable { port.deliver(std::move(group)); });
}

void claimed(agentd_host* host, agentd_op op, const agentd_ledger_claims* c) noexcept {
  port::Claims claims{own(c->runs, c->count), {}};
  if (c->next_due_ms != INT64_MAX) claims.next_due = instant(c->next_due_ms);
  LedgerAnswer answer{op, {}, std::move(claims)};
  inbox(host).post([answer = std::move(answer), standings = own(c->standings, c->standing_count)](LedgerPort& port) mutable {
    port.deliver(std::move(answer), std::move(standings));
  });
}

void records(agentd_host* host, agentd_op op, const agentd_ledger_stored* all, std::uint64_t count) noexcept {
  inbox(host).post([op, piece = own(all, count)](LedgerPort& port) mutable { port.deliver(op, std::move(piece)); });
}

void rows(agentd_host* host, agentd_op op, const agentd_ledger_row* all, std::uint64_t count) noexcept {
  inbox(host).post([op, piece = own(all, count)](LedgerPort& port) mutable { port.deliver(op, std::move(piece)); });
}

void numbers(agentd_host* host, agentd_op op, const std::int64_t* all, std::uint64_t count) noexcept {
  inbox(host).post([op, piece = std::vector<std::int64_t>(all, all + count)](LedgerPort& port) mutable { port.deliver(op, std::move(piece)); });
}

void sessions(agentd_host* host, agentd_op op, const agentd_ledger_session* all, std::uint64_t count) noexcept {
  inbox(host).post([op, piece = own(all, count)](LedgerPort& port) mutable { port.deliver(op, std::move(piece)); });
}

void ended(agentd_host* host, agentd_op op, std::int32_t fault, std::int64_t number, agentd_str what) noexcept {
  LedgerAnswer answer{op, error(fault, what), port::SpecRevision{number, text(what)}};
  inbox(host).post([answer = std::move(answer)](LedgerPort& port) mutable { port.deliver(std::move(answer), {}); });
}

void due(agentd_host* host) noexcept {
  inbox(host).post([](LedgerPort& port) { port.due(); });
}

constexpr agentd_host_ledger_v1 kService{&committed, &claimed, &records, &rows, &numbers, &ended, &due, &sessions};

}  // namespace

// ---- the inbox

const void* LedgerInbox::service(std::string_view id) const { return id == AGENTD_HOST_LEDGER_1 ? &kService : nullptr; }

void LedgerInbox::attach(LedgerPort* port) {
  port_ = port;
  if (!port_) return;
  for (auto& deliver : std::exchange(early_, {})) deliver();
}

template <class Deliver>
void LedgerInbox::post(Deliver deliver) {
  boost::asio::post(executor_, [this, deliver = std::move(deliver)]() mutable {
    if (port_) {
      deliver(*port_);
    } else {
      early_.emplace_back([this, deliver = std::move(deliver)]() mutable { deliver(*port_); });
    }
  });
}

// ---- the port

LedgerPort::LedgerPort(LedgerInbox& inbox, World world, const agentd_ledger& table, void* self)
    : inbox_(inbox), world_(std::move(world)), table_(table), self_(self) {
  inbox_.attach(this);
}

LedgerPort::~LedgerPort() { inbox_.attach(nullptr); }

Async<Result<std::unique_ptr<LedgerPort>>> open_ledger(Instances& instances, Catalog::Found found, std::string name, std::string settings) {
  auto& component = *found.component;
  if (component.interface_id != AGENTD_LEDGER_ID)
    co_return fail(of_another_host(found));
  const auto& table = *static_cast<const agentd_ledger*>(component.table);
  auto executor = co_await boost::asio::this_coro::executor;
  auto extension = std::make_unique<LedgerInbox>(std::move(executor));
  auto& inbox = *extension;
  const Frame frame{table.create, table.destroy, nullptr};
  auto opening = instances.open(std::move(name), *found.library, component, frame, std::move(extension), std::move(settings));
  auto opened = co_await std::move(opening);
  if (!opened) co_return std::unexpected(std::move(opened.error()));

  // The table is called past the instance's operations: their slots and deadlines would cost as much as the ledger itself.
  Instance& instance = **opened;
  void* self = nullptr;
  Instance::Start learn = [&instance, &self](void* its_self, agentd_op op, std::int64_t) {
    self = its_self;
    Ended over;
    over.value = "null";
    instance.end(op, std::move(over));
  };
  auto learning = instance.call(std::move(learn), Millis(1000), {});
  const auto learned = co_await std::move(learning);
  if (!self) co_return fail(instance.who() + " cannot be called: " + learned.value);
  co_return std::make_unique<LedgerPort>(inbox, instance.world(), table, self);
}

std::int64_t LedgerPort::now_ms() const { return ms(world_.clock.now()); }

template <class T, class Call>
Async<LedgerResult<T>> LedgerPort::ask(Call call) {
  auto start = [this, &call](Promise<LedgerAnswer> promise) {
    const auto op = ++last_op_;
    waiting_.emplace(op, Waiting{std::move(promise), {}});
    call(op);
  };
  auto asking = suspend<LedgerAnswer>(start);
  LedgerAnswer answer = co_await std::move(asking);
  if (answer.error) co_return std::unexpected(std::move(*answer.error));
  if constexpr (std::is_void_v<T>) {
    co_return LedgerResult<void>();
  } else if constexpr (std::is_same_v<T, std::int64_t>) {
    co_return std::get<std::int64_t>(answer.value);
  } else if constexpr (std::is_same_v<T, std::string>) {
    co_return std::move(std::get<port::SpecRevision>(answer.value).content);
  } else {
    if (auto* value = std::get_if<T>(&answer.value)) co_return std::move(*value);
    co_return T{};  // nothing came: an empty list
  }
}

Async<LedgerResult<std::vector<port::Admission>>> LedgerPort::enqueue(std::vector<port::Entry> entries) {
  const auto call = [&](std::uint64_t op) {
    const auto lent = lend(entries);
    const agentd_ledger_enqueue asked{op, now_ms(), lent.data(), lent.size()};
    table_.enqueue(self_, &asked);
  };
  auto asking = ask<std::vector<port::Admission>>(call);
  co_return co_await std::move(asking);
}

Async<LedgerResult<Position>> LedgerPort::commit(port::Transition t) {
  const auto call = [&](std::uint64_t op) {
    const auto lent = lend(t.records);
    const auto follow_ups = lend(t.follow_ups);
    const auto settles = lend(t.settles);
    const auto raises = lend(t.raises);
    const auto holds = lend(t.holds);
    const auto next = t.next ? static_cast<std::int32_t>(*t.next) : 0;
    const auto state = t.agent_state ? str(*t.agent_state) : agentd_str{};
    const agentd_ledger_transition asked{op, now_ms(), run_id(t.run), t.generation, str(t.agent_id), lent.data(), lent.size(), follow_ups.data(), follow_ups.size(),
                                         next, t.agent_state.has_value(), ms(t.due_at), state, str(t.error), settles.data(), settles.size(), raises.data(), raises.size(),
                                         holds.data(), holds.size(), static_cast<std::int64_t>(t.in_quarantine), lend(t.fence)};
    table_.commit(self_, &asked);
  };
  auto asking = ask<Position>(call);
  co_return co_await std::move(asking);
}

Async<LedgerResult<std::vector<port::KeptSpec>>> LedgerPort::put_specs(std::vector<port::AgentSpecText> specs) {
  const auto call = [&](std::uint64_t op) {
    const auto lent = lend(specs);
    const agentd_ledger_specs asked{op, now_ms(), lent.data(), lent.size()};
    table_.put_specs(self_, &asked);
  };
  auto asking = ask<std::vector<port::KeptSpec>>(call);
  co_return co_await std::move(asking);
}

Async<LedgerResult<void>> LedgerPort::put_cursors(std::vector<port::Cursor> cursors) {
  const auto call = [&](std::uint64_t op) {
    const auto lent = lend(cursors);
    const agentd_ledger_cursors asked{op, now_ms(), lent.data(), lent.size()};
    table_.put_cursors(self_, &asked);
  };
  auto asking = ask<void>(call);
  co_return co_await std::move(asking);
}

Async<LedgerResult<port::Claims>> LedgerPort::claim(std::size_t n) {
  const auto call = [&](std::uint64_t op) { table_.claim(self_, op, now_ms(), n); };
  auto asking = ask<port::Claims>(call);
  co_return co_await std::move(asking);
}

void LedgerPort::abandon(RunId run, std::uint64_t generation) { table_.abandon(self_, run_id(run), generation); }

void LedgerPort::serve(std::string agent_id, bool can) { table_.serve(self_, str(agent_id), can); }

Async<LedgerResult<std::vector<port::StoredRecord>>> LedgerPort::load(RunId run) {
  const auto call = [&](std::uint64_t op) { table_.load(self_, op, run_id(run)); };
  auto asking = ask<std::vector<port::StoredRecord>>(call);
  co_return co_await std::move(asking);
}

Async<LedgerResult<std::vector<port::RunRow>>> LedgerPort::list(port::RunFilter filter) {
  const auto call = [&](std::uint64_t op) {
    const auto status = filter.status ? static_cast<std::int32_t>(*filter.status) : 0;
    const agentd_ledger_filter asked{op, str(filter.agent_id), status, 0, filter.before, filter.limit, str(filter.key_from), str(filter.key_before)};
    table_.list(self_, &asked);
  };
  auto asking = ask<std::vector<port::RunRow>>(call);
  co_return co_await std::move(asking);
}

Async<LedgerResult<std::vector<port::StoredRecord>>> LedgerPort::events_after(Position position, std::size_t limit) {
  const auto call = [&](std::uint64_t op) { table_.events_after(self_, op, position, limit); };
  auto asking = ask<std::vector<port::StoredRecord>>(call);
  co_return co_await std::move(asking);
}

Async<LedgerResult<std::optional<port::SpecRevision>>> LedgerPort::spec(std::string agent_id, std::int64_t revision) {
  const auto call = [&](std::uint64_t op) { table_.spec(self_, op, str(agent_id), revision); };
  auto asking = ask<port::SpecRevision>(call);
  auto found = co_await std::move(asking);
  if (found) co_return std::optional(std::move(*found));
  if (found.error().fault == LedgerFault::not_found) co_return std::optional<port::SpecRevision>();
  co_return std::unexpected(std::move(found.error()));
}

Async<LedgerResult<std::string>> LedgerPort::agent_state(std::string agent_id) {
  const auto call = [&](std::uint64_t op) { table_.agent_state(self_, op, str(agent_id)); };
  auto asking = ask<std::string>(call);
  co_return co_await std::move(asking);
}

Async<LedgerResult<std::vector<Position>>> LedgerPort::cursors(std::vector<std::string> names) {
  const auto call = [&](std::uint64_t op) {
    const auto lent = lend(names);
    table_.cursors(self_, op, lent.data(), lent.size());
  };
  auto asking = ask<std::vector<Position>>(call);
  co_return co_await std::move(asking);
}

Async<LedgerResult<port::Pruned>> LedgerPort::remove(port::Prune what, RunId run) {
  const auto call = [&](std::uint64_t op) {
    const agentd_ledger_remove asked{op, ms(what.before), what.upto, what.window_before, what.most, run_id(run), lend(what.fence)};
    table_.remove(self_, &asked);
  };
  auto asking = ask<port::Pruned>(call);
  co_return co_await std::move(asking);
}

Async<LedgerResult<port::Pruned>> LedgerPort::prune(port::Prune what) { return remove(what, {}); }

Async<LedgerResult<void>> LedgerPort::forget(RunId run) {
  for (bool more = true; more;) {
    auto removing = remove({}, run);
    const auto removed = co_await std::move(removing);
    if (!removed) co_return std::unexpected(removed.error());
    more = removed->more;
  }
  co_return LedgerResult<void>();
}

Async<LedgerResult<void>> LedgerPort::backup(std::string file) {
  const auto call = [&](std::uint64_t op) { table_.backup(self_, op, str(file)); };
  auto asking = ask<void>(call);
  co_return co_await std::move(asking);
}

bool LedgerPort::is_shared() const { return table_.lease != nullptr; }

Async<LedgerResult<std::vector<std::uint64_t>>> LedgerPort::lease(std::vector<std::string> names) {
  if (!is_shared()) co_return std::vector<std::uint64_t>(names.size(), 1);
  const auto call = [&](std::uint64_t op) {
    const auto lent = lend(names);
    table_.lease(self_, op, lent.data(), lent.size());
  };
  auto asking = ask<std::vector<std::int64_t>>(call);
  const auto given = co_await std::move(asking);
  if (!given) co_return std::unexpected(given.error());
  co_return std::vector<std::uint64_t>(given->begin(), given->end());
}

bool LedgerPort::clocks_agree() const { return !is_shared() || table_.clocks_agree(self_, now_ms()) != 0; }

port::ClaimState LedgerPort::claim_state(RunId run, std::uint64_t generation) const {
  if (!is_shared()) return port::ClaimState::held;
  switch (table_.claim_state(self_, run_id(run), generation)) {
    case AGENTD_CLAIM_HELD: return port::ClaimState::held;
    case AGENTD_CLAIM_UNSURE: return port::ClaimState::unsure;
    default: return port::ClaimState::lost;
  }
}

Async<LedgerResult<std::vector<port::WorkerSession>>> LedgerPort::sessions() {
  if (!is_shared()) co_return std::vector<port::WorkerSession>();
  const auto call = [&](std::uint64_t op) { table_.sessions(self_, op); };
  auto asking = ask<std::vector<port::WorkerSession>>(call);
  co_return co_await std::move(asking);
}

std::size_t LedgerPort::queued(const std::string& agent_id) const {
  const auto known = standings_.find(agent_id);
  return known == standings_.end() ? 0 : known->second.queued;
}

std::size_t LedgerPort::running(const std::string& agent_id) const {
  const auto known = standings_.find(agent_id);
  return known == standings_.end() ? 0 : known->second.running;
}

port::AgentStats LedgerPort::stats(const std::string& agent_id) const {
  const auto known = standings_.find(agent_id);
  return known == standings_.end() ? port::AgentStats{} : known->second.stats;
}

port::Account LedgerPort::account(const std::string& name, std::int64_t window) const {
  const auto known = accounts_.find({name, window});
  return known == accounts_.end() ? port::Account{name, window, {}, {}, {}} : known->second;
}

// ---- what came

void LedgerPort::deliver(LedgerGroup group) {
  stand(std::move(group.standings));
  for (auto& account : group.accounts) know(std::move(account));
  last_position_ = group.last_position;
  accepting_ = group.accepting;
  if (!group.epoch.empty()) epoch_ = std::move(group.epoch);
  vitals_.wal_bytes = group.wal_bytes;
  if (!group.records.empty()) {
    if (!group.elsewhere) {
      vitals_.groups += 1;
      vitals_.records += group.records.size();
      vitals_.last_commit_seconds = group.commit_seconds;
      vitals_.last_group_size = group.answers.size();
    }
    for (auto& record : group.records) record.elsewhere = group.elsewhere;
    if (feed_) feed_(group.records);
  }
  for (auto& answer : group.answers) deliver(std::move(answer), {});
  if (group.due) due();
}

void LedgerPort::deliver(LedgerAnswer answer, std::vector<LedgerStanding> standings) {
  stand(std::move(standings));
  auto found = waiting_.extract(answer.op);
  if (!found) return;
  auto& waiting = found.mapped();
  if (!std::holds_alternative<std::monostate>(waiting.pieces)) answer.value = std::move(waiting.pieces);
  waiting.promise.set(std::move(answer));
}

void LedgerPort::deliver(std::uint64_t op, LedgerAnswer::Value piece) {
  const auto found = waiting_.find(op);
  if (found == waiting_.end()) return;
  const auto append = [&]<class T>(std::vector<T>* more) {
    if (!more) return;
    auto* all = std::get_if<std::vector<T>>(&found->second.pieces);
    if (!all) all = &found->second.pieces.emplace<std::vector<T>>();
    std::move(more->begin(), more->end(), std::back_inserter(*all));
  };
  append(std::get_if<std::vector<port::StoredRecord>>(&piece));
  append(std::get_if<std::vector<port::RunRow>>(&piece));
  append(std::get_if<std::vector<std::int64_t>>(&piece));
  append(std::get_if<std::vector<port::WorkerSession>>(&piece));
}

// Of each account the windows that may still change.
void LedgerPort::know(port::Account account) {
  constexpr std::int64_t kKept = 2;
  accounts_.erase(accounts_.lower_bound({account.name, INT64_MIN}), accounts_.lower_bound({account.name, account.window - kKept + 1}));
  const std::pair key(account.name, account.window);
  accounts_.insert_or_assign(key, std::move(account));
}

void LedgerPort::due() {
  if (wake_) wake_();
}

void LedgerPort::stand(std::vector<LedgerStanding> standings) {
  for (auto& standing : standings) {
    if (is_blank(standing) && !standings_.contains(standing.agent_id)) continue;  // an agent that has not run yet is known by having none
    const auto place = standings_.try_emplace(standing.agent_id).first;
    if (place->second.version <= standing.version) place->second = std::move(standing);
  }
}

}  // namespace agentd::plugin
