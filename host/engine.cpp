#include "host/engine.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <span>

#include "core/event/record.hpp"
#include "host/chains.hpp"
#include "host/last_completed.hpp"
#include "host/recall_note.hpp"
#include "host/recipients.hpp"
#include "host/together.hpp"
#include "host/version.hpp"
#include "host/watch.hpp"

namespace agentd::host {

Async<Result<void>> Engine::open() {
  co_await ground_.ports.open(Ports::Stores::opened);
  if (const auto problem = ground_.ports.replicas_problem()) co_return fail(manifest::to_text(*problem));
  auto opening = ground_.ports.open_ledger();
  auto opened = co_await std::move(opening);
  for (const auto& problem : ground_.ports.problems()) ground_.log.error("config", manifest::to_text(problem));
  if (!opened) co_return fail("the ledger cannot be opened: " + opened.error().message);
  ledger_ = std::move(*opened);
  leases_.emplace(ground_.world, *ledger_, [this](const std::string& text) { ground_.log.info("leases", text); });
  journal_.emplace(ground_.world, *ledger_, ground_.metrics, ground_.log);
  modes_.emplace(*ledger_);
  auto loading = modes_->load();
  auto loaded = co_await std::move(loading);
  if (!loaded) co_return loaded;
  sent_.emplace(*ledger_, ledger_->is_shared());
  auto loading_sent = sent_->load();
  loaded = co_await std::move(loading_sent);
  if (!loaded) co_return loaded;
  roster_.emplace(config_, ground_.ports, *ledger_, *modes_, ledger_->is_shared());
  co_return Result<void>();
}

// An agent that came through the API keeps its name until what it had asked for has ended: a file that claims it is refused.
manifest::FoundAgents Engine::find_agents(const std::vector<std::string>& folders, const std::string& working_folder) const {
  auto found = manifest::find_agents(folders, working_folder);
  for (const auto& [agent_id, kept] : sent_->all()) found.sent.push_back(agent_id);
  return found;
}

Async<void> Engine::load_agents(std::vector<std::string> folders, std::string working_folder) {
  const auto found = find_agents(folders, working_folder);
  for (const auto& problem : found.problems) ground_.log.error("agents", manifest::to_text(problem));
  Judge judge(ground_.ports);
  for (PlaceInFolders at;;) {
    auto reading = read_some_agents(found, at, config_, judge);
    auto agents = co_await std::move(reading);
    if (agents.empty()) break;
    for (const auto& agent : agents) {
      for (const auto& note : agent.notes) ground_.log.info("agents", manifest::to_text(note));
      tell_recall(agent);
    }
    co_await take(std::move(agents));
  }
  for (std::string after;;) {
    auto reading = read_some_sent(*sent_, after, found, config_, judge);
    auto agents = co_await std::move(reading);
    if (agents.empty()) break;
    after = agents.back().agent_id;
    for (const auto& agent : agents) tell_recall(agent);
    co_await take(std::move(agents));
  }
  const auto known = roster_->refused().size();
  auto going_back = roster_->go_back_for_refused(found.sent);
  const auto back = co_await std::move(going_back);
  for (const auto& [id, told] : back) {
    ground_.log.warn("agents", told);
    if (const auto member = roster_->find(id)) journal_->debug(id, member->spec().debug);
  }
  roster_->refuse_cycles();
  tell_refused(known);
  auto standing_in = roster_->stand_in_for_refused();
  co_await std::move(standing_in);
}

Async<Result<Changes>> Engine::load_agents_again(std::vector<std::string> folders, std::string working_folder) {
  const auto found = find_agents(folders, working_folder);
  if (!found.problems.empty()) co_return fail(manifest::to_text(found.problems.front()));
  Judge judge(ground_.ports);
  roster_->begin_again();
  for (PlaceInFolders at;;) {
    auto reading = read_some_agents(found, at, config_, judge);
    auto agents = co_await std::move(reading);
    if (agents.empty()) break;
    for (const auto& loaded : agents)
      if (loaded.spec) journal_->debug(loaded.agent_id, loaded.spec->debug);
    roster_->look_again(std::move(agents));
    co_await boost::asio::post(ground_.world.executor, boost::asio::use_awaitable);
  }
  for (std::string after;;) {
    auto reading = read_some_sent(*sent_, after, found, config_, judge);
    auto agents = co_await std::move(reading);
    if (agents.empty()) break;
    after = agents.back().agent_id;
    for (const auto& loaded : agents)
      if (loaded.spec) journal_->debug(loaded.agent_id, loaded.spec->debug);
    roster_->look_again(std::move(agents));
    co_await boost::asio::post(ground_.world.executor, boost::asio::use_awaitable);
  }
  auto taking = roster_->end_again();
  auto changes = co_await std::move(taking);
  tell_refused(0);
  using What = event::AgentChanged::What;
  std::vector<std::string> created;
  for (const auto& member : changes.created) {
    created.push_back(member->agent_id);
    ground_.metrics.know_agent(member->agent_id, member->means->model);
    know_labels(*member->means);
    co_await record_change(*member, What::created);
  }
  for (const auto& member : changes.updated) {
    ground_.metrics.know_agent(member->agent_id, member->means->model);
    know_labels(*member->means);
    if (member->change) co_await record_change(*member, What::updated);
  }
  for (const auto& member : changes.removed) co_await record_change(*member, What::deleted);
  if (!created.empty()) spawn(ground_.world.executor, know_completed(std::move(created)));
  co_return changes;
}

Async<void> Engine::take(std::vector<manifest::LoadedAgent> agents) {
  for (const auto& loaded : agents)
    if (loaded.spec) journal_->debug(loaded.agent_id, loaded.spec->debug);
  const auto known = roster_->refused().size();
  auto taking = roster_->take(std::move(agents));
  co_await std::move(taking);
  tell_refused(known);
}

// Once: it is the same for all agents, or for all with one store.
void Engine::tell_recall(const manifest::LoadedAgent& loaded) {
  if (!loaded.spec) return;
  const auto note = recall_note(*loaded.spec, config_, ground_.ports);
  if (note && told_of_recall_.insert(*note).second) ground_.log.info("memory", *note);
}

void Engine::tell_refused(std::size_t known) {
  for (const auto& text : roster_->news()) ground_.log.warn("agents", text);
  std::map<std::string, std::string> now;
  for (const auto& refused : std::span(roster_->refused()).subspan(known)) {
    auto& why = now[refused.agent_id];
    for (const auto& problem : refused.problems) why += "\n  " + manifest::to_text(problem);
    if (const auto told = told_.find(refused.agent_id); told != told_.end() && told->second == why) continue;
    ground_.log.error("agents", "agent \"" + refused.agent_id + "\" is refused:" + why);
  }
  if (known == 0) told_ = std::move(now);
  else told_.merge(now);
}

void Engine::know(const Member& member) {
  journal_->debug(member.agent_id, member.spec().debug);
  ground_.metrics.know_agent(member.agent_id, member.means->model);
  know_labels(*member.means);
  std::vector<std::string> one = {member.agent_id};
  spawn(ground_.world.executor, know_completed(std::move(one)));  // a name may have had a life before
}

void Engine::know_labels() {
  for (const auto& [id, member] : roster_->members()) ground_.metrics.know_agent(id, member->means->model);
  for (const auto& means : roster_->means()) know_labels(means);
  if (ground_.ports.embedder()) ground_.metrics.know_model(config_.embedding.provider, config_.embedding.model);
  for (const auto& [rule, severity] : Watch::rules()) ground_.metrics.know_alert(rule, severity);
}

void Engine::know_labels(const Means& means) {
  if (!means.provider.empty()) ground_.metrics.know_model(means.provider, means.model);
  for (const auto& tool : means.tools) ground_.metrics.know_tool(tool);
}

port::Record Engine::record_of(const plugin::Library& library) const { return event::to_record(event::PluginLoaded{library.name, library.version, library.file.string()}); }

Async<void> Engine::record_change(const Member& member, event::AgentChanged::What what) {
  event::AgentChanged changed{.what = what, .revision = member.revision, .by = member.file};
  port::Transition transition{.agent_id = member.agent_id, .records = {event::to_record(changed)}};
  const auto committed = co_await ledger_->commit(std::move(transition));
  if (!committed) ground_.log.warn("agents", member.agent_id + ": " + committed.error().message);
}

port::Record Engine::record_of(const plugin::Catalog::Broken& broken) const {
  ground_.log.warn("plugins", broken.reason);
  return event::to_record(event::PluginFailed{broken.name, broken.file.string(), ground_.redactor.cleaned(broken.reason)});
}

Async<void> Engine::record(Ports::News news) {
  port::Transition came;
  for (const auto* library : news.loaded) {
    ground_.log.info("plugins", "plugin " + manifest::quote(library->name) + " " + library->version + " is new, from " + library->file.string());
    came.records.push_back(record_of(*library));
  }
  for (const auto& broken : news.broken) came.records.push_back(record_of(broken));
  if (came.records.empty()) co_return;
  const auto committed = co_await ledger_->commit(std::move(came));
  if (!committed) ground_.log.warn("plugins", committed.error().message);
}

Async<Result<void>> Engine::record_start() {
  port::Transition start{.records = {event::to_record(event::HostStarted{kVersion})}};
  const auto& catalog = ground_.ports.catalog();
  for (const auto& library : catalog.libraries()) start.records.push_back(record_of(*library));
  for (const auto& broken : catalog.broken()) start.records.push_back(record_of(broken));
  const auto committed = co_await ledger_->commit(std::move(start));
  if (!committed) co_return fail("the ledger takes nothing: " + committed.error().message);
  std::vector<Async<void>> changes;
  for (const auto& [id, member] : roster_->members()) {
    if (member->change) changes.push_back(record_change(*member, *member->change));
    if (changes.size() == kAtOnce) co_await together(std::exchange(changes, {}));
  }
  co_await together(std::move(changes));
  co_return Result<void>();
}

// Beside everything else: nobody waits for a gauge.
Async<void> Engine::know_completed(std::vector<std::string> agents) {
  ++copying_;
  if (agents.size() > metrics::Metrics::kAgentLabels) agents.resize(metrics::Metrics::kAgentLabels);
  for (const auto& agent_id : agents) {
    if (stop_copying_.stop_requested()) break;
    auto looking = completed_at(*ledger_, agent_id);
    const auto at = co_await std::move(looking);
    if (at) ground_.metrics.know_completed(agent_id, *at);
  }
  --copying_;
}

// Beside everything else, too: the records of a busy day are many.
// What was asked of a worker that is gone, and that nobody else who heard it outlived: its runs begin again here.
Async<Result<void>> Engine::hear_of_cancels() {
  constexpr Position kBack = 10'000;  // a worker's lease is over long before so much is said
  const auto last = ledger_->last_position();
  auto reading = ledger_->events_after(last > kBack ? last - kBack : 0, kBack);
  const auto records = co_await std::move(reading);
  if (!records) co_return fail("what was asked of other workers cannot be read: " + records.error().message);
  for (const auto& record : *records) {
    if (record.kind != event::CancelAsked::kKind) continue;
    const auto decoded = event::decode(record.kind, record.payload);
    if (const auto* asked = decoded ? std::get_if<event::CancelAsked>(&decoded->body) : nullptr) worker_->heed(*asked);
  }
  co_return Result<void>();
}

Async<void> Engine::know_spent() {
  ++copying_;
  auto finding = journal_->spent_today().find(*ledger_, stop_copying_.get_token());
  const auto found = co_await std::move(finding);
  if (!found) ground_.log.warn("budget", "what was spent today before this start cannot be read: " + found.error().message);
  --copying_;
}

Async<void> Engine::copy(event::Copier& copier) {
  ++copying_;
  while (const auto tenure = co_await leases_->hold("events:" + copier.name(), stop_copying_.get_token())) co_await copier.follow(tenure->until(), tenure->fence());
  --copying_;
}

Async<void> Engine::deliver(Deliverer& deliverer) {
  ++copying_;
  while (const auto tenure = co_await leases_->hold("deliver:" + deliverer.name(), stop_copying_.get_token())) co_await deliverer.follow(tenure->until(), tenure->fence());
  --copying_;
}

Async<void> Engine::start_deliverers() {
  const Deliverer::Ground ground{ground_.world, *ledger_, journal_->live(), ground_.redactor, [this](const std::string& text) { ground_.log.warn("deliver", text); },
                                 [this](const std::string& text) { ground_.log.error("deliver", text); }};
  for (const auto& [name, sink] : ground_.ports.sinks()) {
    ground_.metrics.know_sink(name);
    if (!sink) {
      ground_.log.error("deliver", "sink \"" + name + "\" is told nothing: " + sink.error().message);
      continue;
    }
    deliverers_.push_back(std::make_unique<Deliverer>(ground, name, **sink));
    spawn(ground_.world.executor, deliver(*deliverers_.back()));
  }
  std::vector<std::string> names;
  for (const auto& [name, sink] : ground_.ports.sinks()) names.push_back(name);
  auto asking = gone_sinks(*ledger_, std::move(names));
  const auto gone = co_await std::move(asking);
  if (!gone) ground_.log.error("deliver", "which sinks were taken out of agentd.toml cannot be read: " + gone.error().message);
  for (const auto& name : gone.value_or(std::vector<std::string>())) {
    ground_.metrics.know_sink(name);
    gone_sinks_.push_back(std::make_unique<GoneSink>(name, ground_.log));
    deliverers_.push_back(std::make_unique<Deliverer>(ground, name, *gone_sinks_.back()));
    spawn(ground_.world.executor, deliver(*deliverers_.back()));
  }
}

Async<Result<void>> Engine::start() {
  know_labels();
  auto finding = journal_->approvals().find(ground_.world, *ledger_);
  auto found = co_await std::move(finding);
  if (!found) co_return fail("what waits for people cannot be read: " + found.error().message);
  auto looking = journal_->quarantine().find(ground_.world, *ledger_);
  found = co_await std::move(looking);
  if (!found) co_return fail("what is in quarantine cannot be read: " + found.error().message);
  spawn(ground_.world.executor, know_spent());
  auto recorded = co_await record_start();
  if (!recorded) co_return recorded;
  for (const auto& [name, store] : ground_.ports.event_stores()) {
    if (!store) {
      ground_.log.error("events", "event store \"" + name + "\" gets no copy: " + store.error().message);
      continue;
    }
    event::Copier::Listener listener{[this](const std::string& text) { ground_.log.error("events", text); }, [this](const std::string& text) { ground_.log.info("events", text); }};
    copiers_.push_back(std::make_unique<event::Copier>(ground_.world, *ledger_, journal_->live(), **store, name, std::move(listener)));
    spawn(ground_.world.executor, copy(*copiers_.back()));
  }
  if (options_.delivers) co_await start_deliverers();
  auto warn = [this](const std::string& text) { ground_.log.warn("runs", text); };
  auto listener = [this](run::Speaker speaker) { return deltas_.listener(std::move(speaker)); };
  auto followers = [this](const run::RunEnd& end) { return follow_ups(ground_.world, *roster_, end); };
  auto recipients = [this](const run::RunEnd& end) { return options_.delivers ? host::recipients(*roster_, end) : std::vector<event::Recipient>(); };
  run::Surroundings around{.world = ground_.world, .ledger = *ledger_, .agents = *roster_, .cleaner = ground_.redactor, .warn = std::move(warn), .unread = &journal_->unread(), .listener = std::move(listener), .followers = std::move(followers), .recipients = std::move(recipients), .dry_run = options_.dry_run, .sharing = ledger_->is_shared() ? &*ledger_ : nullptr, .can_ask = options_.can_ask};
  worker_.emplace(std::move(around));
  if (ledger_->is_shared()) {
    journal_->on_record([this](const port::StoredRecord& record, const event::Body& body) {
      if (const auto* asked = std::get_if<event::CancelAsked>(&body)) worker_->heed(*asked);
      if (std::holds_alternative<event::Ended>(body)) worker_->forget(record.run);
    });
    leases_->want(kFleetGauges);
    auto heard = co_await hear_of_cancels();
    if (!heard) co_return heard;
  }
  for (const auto& [id, member] : roster_->members()) ledger_->serve(id, member->mode != Mode::stopped);
  worker_->start();
  std::vector<std::string> agents;
  for (const auto& [id, member] : roster_->members()) agents.push_back(id);
  spawn(ground_.world.executor, know_completed(std::move(agents)));
  co_return Result<void>();
}

// Event stores and sinks that take what they are given have the story's end before the process does. Nobody waits for the others: the
// next start goes on with them.
Async<void> Engine::let_copies_catch_up() {
  constexpr Millis kLook{5};
  constexpr int kLooks = 400;
  const auto is_behind = [](const auto& copier) { return copier->is_behind() && copier->last_error().empty(); };
  const auto is_at_work = [](const auto& deliverer) { return deliverer->is_at_work(); };
  for (int look = 0; look < kLooks && (std::ranges::any_of(copiers_, is_behind) || std::ranges::any_of(deliverers_, is_at_work)); ++look)
    co_await sleep(ground_.world.timers, kLook, std::stop_token());
}

Async<void> Engine::stop(Millis drain_timeout, std::string reason) {
  if (worker_) co_await worker_->drain(drain_timeout);
  if (ledger_) {
    port::Transition stopped{.records = {event::to_record(event::HostStopped{std::move(reason)})}};
    const auto committed = co_await ledger_->commit(std::move(stopped));
    if (!committed) ground_.log.warn("ledger", committed.error().message);
  }
  co_await let_copies_catch_up();
  stop_copying_.request_stop();
  while (copying_ > 0) co_await sleep(ground_.world.timers, Millis(5), std::stop_token());
  if (leases_) co_await leases_->stop();
}

Async<void> Engine::close() { co_await ground_.ports.close(); }

}  // namespace agentd::host
