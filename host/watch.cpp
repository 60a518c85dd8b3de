#include "host/watch.hpp"

#include <algorithm>
#include <array>

#include "core/budget/days.hpp"
#include "core/manifest/tree.hpp"
#include "host/last_completed.hpp"

namespace agentd::host {
namespace {

constexpr double kFarBehind = 300, kCaughtUp = 60;  // seconds of an event store
constexpr const char *kSilent = "silent", *kFailures = "failures", *kBudget = "budget", *kQuarantine = "quarantine", *kUndelivered = "undelivered",
                     *kEventLag = "event_lag", *kProviderDown = "provider_down", *kPaused = "paused", *kPluginStuck = "plugin_stuck", *kRefused = "refused", *kStranded = "stranded", *kReplicas = "replicas", *kClock = "clock", *kMemory = "memory";
constexpr const char* kAlertLease = "alerts";
constexpr const char* kCursor = "alerts";  // records up to here have been looked at
constexpr Millis kMissedAfter{15'000}, kMissedFor{30'000};
constexpr Millis kBeginAgain{1'000};
constexpr Millis kTakenElsewhereWithin{30'000};  // a run that is due, by a replica that has its agent
constexpr std::size_t kRecordsToCatchUp = 500;
constexpr const char *kWarning = "warning", *kCritical = "critical";

// [defaults] alerts: what agents that do not say otherwise have, the host has too.
manifest::Alerts alerts_of_host(const manifest::HostConfig& config) {
  manifest::Alerts alerts;
  if (!config.defaults) return alerts;
  const auto value = [&](std::string_view key) -> const manifest::Tree* {
    const auto* found = manifest::find(*config.defaults, std::array<std::string_view, 2>{"alerts", key});
    return found ? &found->value : nullptr;
  };
  if (const auto* sinks = value("sinks"); sinks && sinks->list())
    for (const auto& sink : *sinks->list())
      if (sink.text()) alerts.sinks.push_back(*sink.text());
  if (const auto* ratio = value("budget_ratio")) {
    if (const auto* part = std::get_if<double>(&ratio->value)) alerts.budget_ratio = *part;
    if (const auto* whole = std::get_if<std::int64_t>(&ratio->value)) alerts.budget_ratio = static_cast<double>(*whole);
  }
  return alerts;
}

bool is_digested(const manifest::Memory& memory, std::string_view what) {
  return what == event::name(event::Digest::What::summary) ? memory.summarize : !memory.learn.empty();
}

std::string amount_text(std::int64_t amount, bool of_cost) { return of_cost ? "$" + format_dollars(amount) : std::to_string(amount) + " tokens"; }

}  // namespace

Watch::Watch(Ground ground)
    : ground_(ground), board_(ground.world, ground.ledger, [&log = ground.log](const std::string& text) { log.warn("alerts", text); }), of_host_(alerts_of_host(ground.config)) {}

std::vector<std::pair<const char*, const char*>> Watch::rules() {
  return {{kSilent, kCritical}, {kFailures, kWarning}, {kBudget, kWarning}, {kQuarantine, kWarning}, {kUndelivered, kWarning}, {kEventLag, kWarning}, {kProviderDown, kCritical}, {kPaused, kWarning}, {kPluginStuck, kWarning}, {kRefused, kCritical}, {kStranded, kWarning}, {kReplicas, kWarning}, {kClock, kCritical}, {kMemory, kWarning}};
}

Async<Result<void>> Watch::start() {
  auto loaded = co_await board_.load();
  if (!loaded) co_return loaded;
  const auto now = ground_.world.clock.now();
  for (const auto& [agent_id, member] : ground_.roster.members()) {
    if (!member->alerts || !member->enabled) continue;
    watched_.emplace(agent_id, Watched{member->spec().alerts, now});
    if (!member->starts_by_itself()) was_away_.insert(agent_id);
  }
  ground_.journal.on_record([this](const port::StoredRecord& record, const event::Body& body) {
    if (stopping_.stop_requested()) return;
    board_.see(record, body);
    see(record, body);
    seen_ = record.position;
  });
  auto tenure = ground_.leases.held(kAlertLease, stopping_.get_token());
  if (!tenure) board_.rest();
  if (tenure) {
    auto beginning = begin(tenure->fence());
    auto begun = co_await std::move(beginning);
    if (!begun) co_return begun;
  }
  looking_ = 1;
  spawn(ground_.world.executor, keep_watch(std::move(tenure)));
  co_return Result<void>();
}

// Every replica knows what there is to be known; one of them raises and clears.
Async<void> Watch::keep_watch(std::optional<Leases::Tenure> tenure) {
  bool begun = tenure.has_value();
  while (true) {
    if (!tenure) tenure = co_await ground_.leases.hold(kAlertLease, stopping_.get_token());
    if (!tenure) break;
    if (!begun) {
      auto beginning = begin(tenure->fence());
      const auto could = co_await std::move(beginning);
      if (!could) {
        ground_.log.error("alerts", could.error().message);
        co_await sleep(ground_.world.timers, kBeginAgain, stopping_.get_token());
        tenure.reset();
        continue;
      }
    }
    ++looking_;
    spawn(ground_.world.executor, look_back());
    co_await look_again(tenure->until());
    tenure.reset();
    begun = false;
    if (stopping_.stop_requested()) break;
    board_.rest();
    const auto read = co_await board_.load();
    if (!read) ground_.log.warn("alerts", read.error().message);
  }
  --looking_;
}

Async<Result<void>> Watch::begin(const port::Fence& fence) {
  fence_ = fence;
  auto writing = board_.write_under(fence);
  auto written = co_await std::move(writing);
  if (!written) co_return written;
  auto catching_up = catch_up();
  co_await std::move(catching_up);
  forget_strangers();
  co_return Result<void>();
}

// What was recorded while nobody watched: after the last host's watch had ended, and before this one's began.
Async<void> Watch::catch_up() {
  std::vector<std::string> names = {kCursor};
  const auto known = co_await ground_.ledger.cursors(std::move(names));
  if (known) saved_ = known->front();
  const auto until = ground_.ledger.last_position();
  for (auto at = saved_; saved_ > 0 && at < until;) {
    const auto records = co_await ground_.ledger.events_after(at, kRecordsToCatchUp);
    if (!records) ground_.log.warn("alerts", "what was recorded while nobody watched cannot be read, so no alert is raised of it: " + records.error().message);
    if (!records || records->empty()) break;
    for (const auto& record : *records) {
      at = record.position;
      const auto decoded = event::decode(record.kind, record.payload);
      if (decoded) see(record, decoded->body);
    }
  }
  seen_ = std::max(seen_, until);
}

Async<void> Watch::save() {
  if (seen_ == saved_ || !board_.is_written()) co_return;
  const auto upto = seen_;
  std::vector<port::Cursor> one = {{kCursor, upto, fence_}};
  const auto kept = co_await ground_.ledger.put_cursors(std::move(one));
  if (kept) saved_ = upto;
}

Async<void> Watch::stop() {
  stopping_.request_stop();
  while (looking_ > 0) co_await sleep(ground_.world.timers, Millis(1), {});
  co_await board_.stop();
}

void Watch::take(const Member& member) {
  const auto& id = member.agent_id;
  auto alerts = member.enabled && member.alerts ? std::optional(member.spec().alerts) : std::nullopt;
  if (!alerts) return leave(id);
  const auto now = ground_.world.clock.now();
  auto& watched = watched_.try_emplace(id, Watched{{}, now}).first->second;
  if (watched.alerts.silent_after) silence_.erase({watched.completed_at + *watched.alerts.silent_after, id});
  watched.alerts = std::move(*alerts);
  if (!member.starts_by_itself()) board_.clear({kSilent, id, {}});  // whoever paused it knows
  else if (was_away_.erase(id) > 0) await_completion(id, now);
  else if (watched.is_known) await_completion(id, watched.completed_at);
  else if (watched.alerts.silent_after) find_out(id);
  if (!member.starts_by_itself()) was_away_.insert(id);
  forget_strangers();
  look_at_failures(id, watched);
  look_at_paused();
}

void Watch::leave(const std::string& agent_id) {
  const auto found = watched_.find(agent_id);
  if (found == watched_.end()) return forget_strangers();
  if (found->second.alerts.silent_after) silence_.erase({found->second.completed_at + *found->second.alerts.silent_after, agent_id});
  watched_.erase(found);
  forget_strangers();
}

void Watch::take_defaults() { of_host_ = alerts_of_host(ground_.config); }

std::vector<std::string> Watch::sinks_of(const std::string& agent_id) const {
  const auto found = watched_.find(agent_id);
  return found == watched_.end() || found->second.alerts.sinks.empty() ? of_host_.sinks : found->second.alerts.sinks;
}

// Alerts of agents that are gone, or that nobody wants any more.
void Watch::forget_strangers() {
  for (const auto& [name, alert, since] : board_.firing()) {
    if (name.rule == kMemory) {
      const auto member = ground_.roster.find(name.agent_id);
      if (member ? !is_digested(member->spec().memory, name.subject) : std::ranges::find(ground_.roster.refused(), name.agent_id, &RefusedAgent::agent_id) == ground_.roster.refused().end()) board_.clear(name);
    }
    const bool is_agents = name.rule == kSilent || name.rule == kFailures || name.rule == kBudget;
    const auto watched = watched_.find(name.agent_id);
    const auto& refused = ground_.roster.refused();
    const bool is_refused = std::ranges::find(refused, name.agent_id, &RefusedAgent::agent_id) != refused.end();  // it is still wanted
    if (!is_agents || name.agent_id.empty() || is_refused) continue;
    const bool is_wanted = watched != watched_.end() && ((name.rule == kSilent && watched->second.alerts.silent_after) ||
                                                          (name.rule == kFailures && watched->second.alerts.consecutive_failures > 0) || (name.rule == kBudget && watched->second.alerts.budget_ratio > 0));
    if (!is_wanted) board_.clear(name);
  }
}

// ---- by what is recorded

void Watch::see(const port::StoredRecord& record, const event::Body& body) {
  if (const auto* ended = std::get_if<event::Ended>(&body)) return see_end(record, *ended);
  if (const auto* failed = std::get_if<event::Undelivered>(&body); failed && failed->retry_after_ms < 0) {
    auto sinks = sinks_of(record.agent_id);
    std::erase(sinks, failed->sink);  // which would not be told of this either
    board_.raise({kUndelivered, {}, failed->sink}, {kWarning, "sink \"" + failed->sink + "\" is not told what it is to be told: " + failed->error, std::move(sinks)});
  }
  if (const auto* told = std::get_if<event::Delivered>(&body)) board_.clear({kUndelivered, {}, told->sink});
}

void Watch::see_end(const port::StoredRecord& record, const event::Ended& ended) {
  const auto& agent_id = record.agent_id;
  if (ended.digest) return look_at_digest(record, ended);
  if (event::is_aside(ended)) return;
  if (ended.status == port::RunStatus::quarantined)
    board_.raise({kQuarantine, agent_id, {}}, {kWarning, "run " + to_text(record.run) + " of " + agent_id + " is in quarantine: " + (ended.reason.empty() && ended.fault ? ended.fault->message : ended.reason), sinks_of(agent_id)});
  const auto watched = watched_.find(agent_id);
  if (watched == watched_.end()) return;
  if (ended.status == port::RunStatus::completed) await_completion(agent_id, record.at);
  look_at_failures(agent_id, watched->second);
}

// A run for memory has tried as often as the agent's retries go.
void Watch::look_at_digest(const port::StoredRecord& record, const event::Ended& ended) {
  const alert::Name name{kMemory, record.agent_id, event::name(ended.digest->what)};
  if (ended.status == port::RunStatus::completed) return board_.clear(name);
  if (ended.status != port::RunStatus::failed && ended.status != port::RunStatus::timed_out) return;
  const bool is_summary = ended.digest->what == event::Digest::What::summary;
  board_.raise(name, {kWarning, record.agent_id + (is_summary ? " has no summary of its latest messages" : " learned nothing from a run") + ": run " + to_text(record.run) + " for its memory failed: " + (ended.fault ? ended.fault->message : ended.reason), sinks_of(record.agent_id)});
}

void Watch::look_at_failures(const std::string& agent_id, const Watched& watched) {
  const alert::Name name{kFailures, agent_id, {}};
  const auto stats = ground_.ledger.stats(agent_id);
  const auto most = watched.alerts.consecutive_failures;
  if (most <= 0 || stats.consecutive_failures < most) return board_.clear(name);
  board_.raise(name, {kWarning, agent_id + (stats.consecutive_failures == 1 ? " failed once: " : " failed " + std::to_string(stats.consecutive_failures) + " times in a row: ") + stats.last_error, sinks_of(agent_id)});
}

// ---- by what is not recorded

void Watch::await_completion(const std::string& agent_id, Instant since) {
  auto& watched = watched_.at(agent_id);
  if (!watched.alerts.silent_after) return;
  const auto after = *watched.alerts.silent_after;
  silence_.erase({watched.completed_at + after, agent_id});
  watched.completed_at = std::min(since, ground_.world.clock.now());  // not what a clock said that ran ahead
  watched.is_known = true;
  silence_.insert({watched.completed_at + after, agent_id});
  if (ground_.world.clock.now() < watched.completed_at + after) board_.clear({kSilent, agent_id, {}});
}

void Watch::look_at_silence() {
  const auto now = ground_.world.clock.now();
  while (!silence_.empty() && silence_.begin()->first <= now) {
    auto overdue = silence_.extract(silence_.begin());
    const auto& agent_id = overdue.value().second;
    if (const auto member = ground_.roster.find(agent_id); !member || !member->starts_by_itself()) continue;
    const auto& watched = watched_.at(agent_id);
    const bool raised = board_.raise({kSilent, agent_id, {}}, {kCritical, "no run of " + agent_id + " has completed for " + format_duration(*watched.alerts.silent_after) + ", since " + format_instant(watched.completed_at), sinks_of(agent_id)});
    if (raised) continue;
    silence_.insert(std::move(overdue));  // there is no room on the board
    break;
  }
}

// Of an agent that never completed a run: since the first host that watched it, whatever died since.
Async<Instant> Watch::watched_since(std::string agent_id) {
  const auto now = ground_.world.clock.now();
  const auto name = "watched:" + agent_id;
  std::vector<std::string> names = {name};
  const auto known = co_await ground_.ledger.cursors(std::move(names));
  if (!known) co_return now;
  if (known->front() > 0) co_return std::min(Instant(Millis(known->front())), now);
  std::vector<port::Cursor> since = {{name, now.time_since_epoch().count()}};
  const auto kept = co_await ground_.ledger.put_cursors(std::move(since));
  if (!kept) ground_.log.warn("alerts", agent_id + ": since when it is watched could not be kept: " + kept.error().message);
  co_return now;
}

// When the agent's last completed run ended, which may be months ago.
Async<void> Watch::find_completed(std::string agent_id) {
  auto seeking = completed_at(ground_.ledger, agent_id);
  const auto completed = co_await std::move(seeking);
  Instant since{};
  if (completed && *completed) {
    since = **completed;
  } else {
    auto looking = watched_since(agent_id);
    since = co_await std::move(looking);
  }
  const auto watched = watched_.find(agent_id);
  const bool is_wanted = watched != watched_.end() && watched->second.alerts.silent_after && !watched->second.is_known;  // else one has completed meanwhile
  if (is_wanted) await_completion(agent_id, since);
}

void Watch::find_out(const std::string& agent_id) {
  const auto looking = [](Watch& watch, std::string id) -> Async<void> {
    co_await watch.find_completed(std::move(id));
    --watch.looking_;
  };
  ++looking_;
  spawn(ground_.world.executor, looking(*this, agent_id));
}

Async<void> Watch::look_back() {
  port::RunFilter filter{.agent_id = {}, .status = port::RunStatus::quarantined, .limit = alert::Board::kMostFiring};
  const auto rows = co_await ground_.ledger.list(std::move(filter));
  if (rows)
    for (const auto& row : *rows) board_.raise({kQuarantine, row.agent_id, {}}, {kWarning, "run " + to_text(row.run) + " of " + row.agent_id + " is in quarantine", sinks_of(row.agent_id)});
  std::vector<std::string> agents;
  for (const auto& [agent_id, watched] : watched_) agents.push_back(agent_id);
  for (const auto& agent_id : agents) {
    const auto watched = watched_.find(agent_id);
    if (stopping_.stop_requested()) break;
    if (watched == watched_.end()) continue;
    look_at_failures(agent_id, watched->second);
    if (watched->second.alerts.silent_after) co_await find_completed(agent_id);
  }
  --looking_;
}

Async<void> Watch::look_again(std::stop_token until) {
  for (bool goes_on = true; goes_on;) {
    look_at_clock();
    look_at_silence();
    look_at_budgets();
    look_at_providers();
    look_at_event_stores();
    look_at_paused();
    look_at_plugins();
    look_at_refused();
    clear_gone(kUndelivered, [this](const alert::Name& name) { return ground_.ports.sinks().contains(name.subject); });
    clear_gone(kProviderDown, [this](const alert::Name& name) { return ground_.ports.endpoints().contains(name.subject); });
    clear_gone(kEventLag, [this](const alert::Name& name) { return std::ranges::any_of(ground_.copiers, [&](const auto& copier) { return copier->name() == name.subject; }); });
    clear_gone(kPluginStuck, [this](const alert::Name& name) { return std::ranges::any_of(ground_.ports.catalog().libraries(), [&](const auto& library) { return library->name == name.subject; }); });
    for (const auto& [name, alert, since] : board_.firing()) {
      if (name.rule != kQuarantine) continue;
      port::RunFilter filter{.agent_id = name.agent_id, .status = port::RunStatus::quarantined, .limit = 1};
      const auto rows = co_await ground_.ledger.list(std::move(filter));
      if (rows && rows->empty()) board_.clear(name);
    }
    auto stranded = look_at_stranded();
    co_await std::move(stranded);
    auto counting = look_at_replicas();
    co_await std::move(counting);
    auto saving = save();
    co_await std::move(saving);
    goes_on = co_await sleep(ground_.world.timers, kLookEvery, until);
  }
}

void Watch::look_at_budgets() {
  look_at_budget({}, budget::kHostAccount, {0, ground_.config.budget.cost_per_day}, of_host_.budget_ratio);
  for (const auto& [agent_id, watched] : watched_) {
    const auto member = ground_.roster.find(agent_id);
    if (member) look_at_budget(agent_id, budget::account_of(agent_id), member->day_limit, watched.alerts.budget_ratio);
  }
}

void Watch::look_at_budget(const std::string& agent_id, const std::string& account, const port::Spend& limit, double ratio) {
  if (ratio <= 0) return;
  const auto day = budget::day_of(ground_.world.clock.now());
  const auto now = ground_.ledger.account(account, day);
  const auto look = [&](const char* resource, std::int64_t used, std::int64_t most) {
    const alert::Name name{kBudget, agent_id, resource};
    if (most <= 0) return board_.clear(name);
    const double part = static_cast<double>(used) / static_cast<double>(most);
    if (part < ratio) return board_.clear(name);
    const bool of_cost = std::string_view(resource) == "cost";
    auto summary = (agent_id.empty() ? "the host" : agent_id) + " has used " + std::to_string(static_cast<int>(part * 100)) + "% of its " + resource + " of " + budget::format_day(day) + ": " + amount_text(used, of_cost) +
                   " of " + amount_text(most, of_cost);
    board_.raise(name, {kWarning, std::move(summary), sinks_of(agent_id), event::Exhausted{account, budget::format_day(day), resource, used, most}});
  };
  look("tokens", now.spent.tokens + now.held.tokens, limit.tokens > 0 ? limit.tokens + now.raised.tokens : 0);
  look("cost", now.spent.cost + now.held.cost, limit.cost > 0 ? limit.cost + now.raised.cost : 0);
}

void Watch::look_at_providers() {
  for (const auto& [name, endpoint] : ground_.ports.endpoints()) {
    if (!endpoint) continue;
    const alert::Name alert{kProviderDown, {}, name};
    if ((*endpoint)->down()) board_.raise(alert, {kCritical, "provider \"" + name + "\" refuses its credentials, or its quota is used up: runs that need it wait", of_host_.sinks});
    else board_.clear(alert);
  }
}

void Watch::look_at_paused() {
  const auto by_itself = [this](const std::string& agent_id) {
    const auto* kept = ground_.modes.find(agent_id);
    return kept && kept->mode == Mode::paused && kept->by_itself && ground_.roster.find(agent_id) ? kept : nullptr;
  };
  for (const auto& [name, alert, since] : board_.firing())
    if (name.rule == kPaused && !by_itself(name.agent_id)) board_.clear(name);
  for (const auto& [agent_id, any] : ground_.modes.all())
    if (const auto* kept = by_itself(agent_id))
      board_.raise({kPaused, agent_id, {}}, {kWarning, agent_id + " is paused: " + kept->reason + "; agentd agents resume " + agent_id, sinks_of(agent_id)});
}

template <class Exists>
void Watch::clear_gone(const char* rule, Exists exists) {
  for (const auto& [name, alert, since] : board_.firing())
    if (name.rule == rule && !exists(name)) board_.clear(name);
}

// Completions of a time that the clock has not reached yet were by a clock that ran ahead.
void Watch::look_at_clock() {
  const auto now = ground_.world.clock.now();
  if (now >= std::exchange(last_look_, now)) return;
  for (auto& [agent_id, watched] : watched_)
    if (watched.completed_at > now) await_completion(agent_id, now);
}

// Of agents that were taken away, or refused, while runs of theirs were queued: nobody takes those up.
Async<void> Watch::look_at_stranded() {
  port::RunFilter filter{.agent_id = {}, .status = port::RunStatus::queued, .limit = alert::Board::kMostFiring};
  const auto rows = co_await ground_.ledger.list(std::move(filter));
  if (!rows) co_return;
  std::set<std::string> stranded;
  const auto now = ground_.world.clock.now();
  for (const auto& row : *rows) {
    if (ground_.roster.find(row.agent_id)) continue;
    const bool may_be_anothers = ground_.leases.is_shared() && (ground_.ledger.running(row.agent_id) > 0 || now - row.due_at < kTakenElsewhereWithin);
    if (!may_be_anothers) stranded.insert(row.agent_id);
  }
  clear_gone(kStranded, [&](const alert::Name& name) { return stranded.contains(name.agent_id); });
  for (const auto& agent_id : stranded)
    board_.raise({kStranded, agent_id, {}}, {kWarning, "runs of " + agent_id + " are queued, and there is no agent of that name to take them up", sinks_of(agent_id)});
}

// One that is started again is missed by nobody.
Async<void> Watch::look_at_replicas() {
  const alert::Name name{kReplicas, {}, {}};
  const auto wanted = static_cast<std::size_t>(ground_.config.host.replicas);
  const auto sessions = co_await ground_.sharing.sessions();
  if (!sessions) co_return;
  look_at_clocks_of(*sessions);
  if (wanted <= 1) co_return board_.clear(name);
  const auto alive = static_cast<std::size_t>(std::ranges::count_if(*sessions, [](const auto& session) { return session.lease_age <= kMissedAfter; }));
  missing_ = alive < wanted ? missing_ + 1 : 0;
  if (missing_ == 0) board_.clear(name);
  if (missing_ > kMissedFor / kLookEvery) board_.raise(name, {kWarning, std::to_string(alive) + " of " + std::to_string(wanted) + " replicas are there", of_host_.sinks});
}

void Watch::look_at_clocks_of(const std::vector<port::WorkerSession>& sessions) {
  std::set<std::string> off;
  for (const auto& session : sessions) {
    if (!session.clock_is_off || session.lease_age > kMissedAfter) continue;
    const auto& who = *off.insert(session.host + " (process " + std::to_string(session.process) + ")").first;
    const auto seconds = std::chrono::round<std::chrono::seconds>(session.clock_ahead).count();
    board_.raise({kClock, {}, who}, {kCritical, "the clock of " + who + " is " + std::to_string(std::abs(seconds)) + " s " + (seconds > 0 ? "ahead of" : "behind") + " the ledger's: it takes nothing in and begins nothing until that is set right", of_host_.sinks});
  }
  clear_gone(kClock, [&](const alert::Name& name) { return off.contains(name.subject); });
}

void Watch::look_at_refused() {
  std::map<std::string, std::string> refused;
  for (const auto& each : ground_.roster.refused())
    refused.emplace(each.agent_id, each.agent_id + (ground_.roster.find(each.agent_id) ? " runs as it was: its manifest is refused: " : " does not run: its manifest is refused: ") + manifest::to_text(each.problems.front()));
  for (const auto& [name, alert, since] : board_.firing()) {
    if (name.rule != kRefused) continue;
    const auto now = refused.find(name.agent_id);
    if (now != refused.end() && now->second == alert.summary) continue;
    board_.clear(name);
    if (now != refused.end()) refused.erase(now);  // another problem is another alert: at the next look
  }
  for (const auto& [agent_id, summary] : refused) board_.raise({kRefused, agent_id, {}}, {kCritical, summary, sinks_of(agent_id)});
}

void Watch::look_at_plugins() {
  for (const auto& library : ground_.ports.catalog().libraries()) {
    const alert::Name name{kPluginStuck, {}, library->name};
    const auto disabled = library->disabled();
    const int hanging = library->hanging_calls();
    if (!disabled && hanging == 0) {
      board_.clear(name);
      continue;
    }
    auto summary = disabled.value_or("plugin \"" + library->name + "\" does not come back from " + (hanging == 1 ? "a call that ignores its deadline" : std::to_string(hanging) + " calls that ignore their deadlines"));
    board_.raise(name, {kWarning, std::move(summary), of_host_.sinks});
  }
}

void Watch::look_at_event_stores() {
  for (const auto& copier : ground_.copiers) {
    const alert::Name name{kEventLag, {}, copier->name()};
    const auto lag = copier->lag_seconds();
    if (lag >= kFarBehind)
      board_.raise(name, {kWarning, "event store \"" + copier->name() + "\" is " + format_duration(Millis(static_cast<std::int64_t>(lag) * 1000)) + " behind" + (copier->last_error().empty() ? "" : ": " + copier->last_error()), of_host_.sinks});
    else if (lag < kCaughtUp) board_.clear(name);
  }
}

}  // namespace agentd::host
