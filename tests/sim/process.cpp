#include "tests/sim/process.hpp"

#include "core/plugin/ports.hpp"
#include "host/chains.hpp"
#include "tests/sim/agents.hpp"

namespace agentd::sim {
namespace {

constexpr std::size_t kEverything = 10'000'000;
constexpr Millis kLookAgain{5};
const std::stop_token nobody_stops;

class NothingIsSecret final : public port::Cleaner {
 public:
  void clean(std::string&) const override {}
  void clean_json(std::string&) const override {}
};
NothingIsSecret nothing_is_secret;

plugin::Services services() {
  plugin::Services none;
  none.log = [](plugin::LogLevel, std::string_view, std::string_view) {};
  return none;
}

plugin::Instances::Options inline_jobs(Executor executor) {
  plugin::Instances::Options options;
  options.make_workers = [executor](const plugin::Library&) { return std::make_unique<plugin::InlineWorkers>(executor); };
  return options;
}

host::Member member_of(const manifest::AgentSpec& spec) {
  host::Member member;
  member.agent_id = spec.agent_id;
  member.run_on_start = spec.schedule.run_on_start;
  member.gated = spec.gate.has_value();
  member.overlap = spec.schedule.overlap;
  member.queue_size = static_cast<std::uint32_t>(spec.limits.queue_size);
  member.max_concurrent = static_cast<std::uint32_t>(spec.limits.max_concurrent);
  member.policy = schedule::make_policy(spec.schedule, spec.limits.queue_size);
  member.schedule = *schedule::make_schedule(spec.schedule);
  return member;
}

}  // namespace

Process::Process(Installation& from, std::uint64_t seed, Instant now)
    : from_(from),
      world_(seed, now),
      clock_(world_),
      life_{{world_.io().get_executor(), clock_, world_, world_}, {}},
      instances_(life_.world, services(), inline_jobs(life_.world.executor)),
      cleaner_(nothing_is_secret) {
  from_.outside.talk_to(&life_);
}

Process::~Process() {
  slots_.reset();
  overtaking_.reset();
  worker_.reset();
  deliverer_.reset();
  copier_.reset();
  live_.reset();
  ledger_.reset();
  world_.run(instances_.close());
  from_.outside.talk_to(nullptr);
}

bool Process::start() {
  up_ = world().run(come_up());
  return is_up();
}

Async<bool> Process::come_up() {
  const bool opened = co_await open();
  if (!opened) co_return false;
  const bool kept = co_await keep_specs();
  if (!kept) co_return false;
  slots_.emplace(life_.world, *ledger_, members_, from_.log);
  auto finding = quarantine_.find(life_.world, *ledger_);
  const auto found = co_await std::move(finding);
  if (!found) co_return false;
  const bool recorded = co_await record_start();
  if (!recorded) co_return false;
  const event::Copier::Listener silence{[](const std::string&) {}, [](const std::string&) {}};
  copier_.emplace(life_.world, *ledger_, *live_, from_.outside, "copy", silence);
  tell(follow());
  deliverer_.emplace(host::Deliverer::Ground{life_.world, *ledger_, *live_, cleaner_, silence.error, silence.error}, kSink,
                     from_.outside);
  tell(deliver());
  run::Surroundings around{
      .world = life_.world, .ledger = *ledger_, .agents = from_.agents, .cleaner = cleaner_, .warn = [](const std::string&) {}};
  around.followers = [this](const run::RunEnd& end) { return host::follow_ups(life_.world, members_, end); };
  around.recipients = [this](const run::RunEnd& end) { return from_.witness.recipients(end.agent_id, end.status); };
  decisions_.emplace(life_.world, *ledger_, cleaner_);
  worker_.emplace(std::move(around));
  for (const auto& [id, member] : members_.members()) ledger_->serve(id, true);
  worker_->start();
  overtaking_.emplace(life_.world, *ledger_, members_, *worker_, from_.log);
  co_await overtaking_->start();
  co_await slots_->start();
  for (const auto& [id, member] : members_.members())
    if (member->schedule && !ledger_->lost_cursors()) from_.witness.schedule_is_in_force(id, clock_.now());
  co_return !life_.dead();
}

Async<bool> Process::open() {
  auto& library = conformance::library_of(AGENTD_SIM_SQLITE);
  auto* component = library.component(plugin::Kind::ledger, "sqlite");
  auto settings = "{\"path\":\"" + from_.folder.string() + "\"}";
  auto opening = plugin::open_ledger(instances_, {&library, component}, "local", std::move(settings));
  auto opened = co_await std::move(opening);
  if (!opened || life_.dead()) co_return false;
  ledger_.emplace(std::move(*opened), life_, from_.faults, from_.witness);
  live_.emplace(life_.world, *ledger_);
  ledger_->on_group([this](std::span<const port::StoredRecord> group) {
    for (const auto& record : group) hear(record);
    live_->feed(group);
  });
  auto reading = ledger_->events_after(0, kEverything);
  const auto all = co_await std::move(reading);
  if (life_.dead()) co_return false;
  if (all)
    from_.witness.found(*all);
  else
    from_.witness.object("the ledger cannot be read: " + all.error().message);
  co_return true;
}

Async<bool> Process::keep_specs() {
  std::vector<port::AgentSpecText> texts;
  for (const auto& spec : from_.specs) texts.push_back({spec.agent_id, from_.manifests.at(spec.agent_id)});
  auto keeping = ledger_->put_specs(texts);
  const auto kept = co_await std::move(keeping);
  if (!kept) co_return false;
  using Change = port::KeptSpec::Change;
  using What = event::AgentChanged::What;
  for (std::size_t i = 0; i < from_.specs.size(); ++i) {
    auto member = member_of(from_.specs[i]);
    member.manifest = texts[i].content;
    member.revision = (*kept)[i].revision;
    if ((*kept)[i].change != Change::none) member.change = (*kept)[i].change == Change::created ? What::created : What::updated;
    members_.add(std::move(member));
  }
  members_.add(
      manifest::ChainLink{.agent_id = kFollower, .trigger = kFollows, .outcome = "completed", .followed = kFollowed, .at = {}});
  co_return true;
}

Async<bool> Process::record_start() {
  port::Transition start{.records = {event::to_record(event::HostStarted{"sim"})}};
  auto starting = ledger_->commit(std::move(start));
  const auto started = co_await std::move(starting);
  if (!started) co_return false;
  for (const auto& [id, member] : members_.members()) {
    if (!member->change) continue;
    port::Transition changed{
        .agent_id = id, .records = {event::to_record(event::AgentChanged{.what = *member->change, .revision = member->revision})}};
    auto changing = ledger_->commit(std::move(changed));
    const auto written = co_await std::move(changing);
    if (life_.dead()) co_return false;
  }
  co_return true;
}

// As the host's journal tells those who want to know.
void Process::hear(const port::StoredRecord& record) {
  using namespace event;
  if (record.kind != Entered::kKind && record.kind != Ended::kKind && record.kind != Reviewed::kKind) return;
  const auto decoded = decode(record.kind, record.payload);
  if (!decoded) return;
  quarantine_.see(record, decoded->body);
  const auto* entered = std::get_if<Entered>(&decoded->body);
  if (entered && overtaking_ && !port::is_final(record.status)) overtaking_->see(record, *entered);
}

Async<void> Process::deliver() { co_await deliverer_->follow(stop_copying_.get_token()); }
Async<void> Process::follow() { co_await copier_->follow(stop_copying_.get_token()); }

Async<void> Process::count(Async<void> story) {
  co_await std::move(story);
  --stories_;
}

void Process::tell(Async<void> story) {
  ++stories_;
  spawn(life_.world.executor, count(std::move(story)));
}

void Process::drain(Millis timeout) {
  if (!std::exchange(draining_, true)) spawn(life_.world.executor, stop(timeout));
}

// As the host's own engine stops.
Async<void> Process::stop(Millis timeout) {
  ++stories_;
  overtaking_->stop();
  slots_->stop();
  co_await worker_->drain(timeout);
  port::Transition stopped{.records = {event::to_record(event::HostStopped{"SIGTERM"})}};
  auto stopping = ledger_->commit(std::move(stopped));
  const auto committed = co_await std::move(stopping);
  stop_copying_.request_stop();
  while (stories_ > 1) co_await sleep(life_.world.timers, kLookAgain, nobody_stops);
  gone_ = true;
  --stories_;
}

void Process::leave() { world().run(unwind()); }

// Of a process that is dead everything that is asked fails, so that this is only how its memory is given back.
Async<bool> Process::unwind() {
  if (overtaking_) overtaking_->stop();
  if (slots_) slots_->stop();
  if (worker_) co_await worker_->drain(Millis(0));
  stop_copying_.request_stop();
  while (stories_ > 0 || (ledger_ && ledger_->is_busy())) co_await sleep(life_.world.timers, kLookAgain, nobody_stops);
  co_return true;
}

}  // namespace agentd::sim
