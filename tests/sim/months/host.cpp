#include "tests/sim/months/host.hpp"

#include "core/plugin/ports.hpp"

namespace agentd::sim::months {
namespace {

constexpr std::size_t kAtOnce = 1'000;
constexpr Millis kLookAgain{5}, kLongestPause{2'000};  // of any story that has heard that it is to stop
const std::stop_token kNever;

class NothingIsSecret final : public port::Cleaner {
 public:
  void clean(std::string&) const override {}
  void clean_json(std::string&) const override {}
};
const NothingIsSecret kNothingIsSecret;

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
  member.manifest = R"({"schedule":{}})";  // never edited
  member.gated = spec.gate.has_value();
  member.overlap = spec.schedule.overlap;
  member.queue_size = static_cast<std::uint32_t>(spec.limits.queue_size);
  member.max_concurrent = static_cast<std::uint32_t>(spec.limits.max_concurrent);
  member.policy = schedule::make_policy(spec.schedule, spec.limits.queue_size);
  member.schedule = *schedule::make_schedule(spec.schedule);
  return member;
}

}  // namespace

Host::Host(Installation& from, std::uint64_t seed, Instant now)
    : from_(from),
      world_(seed, now),
      life_{world_.world(), {}},
      instances_(life_.world, services(), inline_jobs(life_.world.executor)) {
  from_.elsewhere.talk_to(&life_);
  from_.calendar.process_begins();
}

Host::~Host() {
  retention_.reset();
  slots_.reset();
  worker_.reset();
  ledger_.reset();
  world_.run(instances_.close());
  from_.elsewhere.talk_to(nullptr);
}

bool Host::start() { return world_.run(come_up()); }

Async<bool> Host::come_up() {
  auto& library = conformance::library_of(AGENTD_SIM_SQLITE);
  auto* component = library.component(plugin::Kind::ledger, "sqlite");
  auto settings = "{\"path\":\"" + from_.folder.string() + "\"}";
  auto opening = plugin::open_ledger(instances_, {&library, component}, "local", std::move(settings));
  auto opened = co_await std::move(opening);
  if (!opened || life_.dead()) co_return false;
  ledger_.emplace(std::move(*opened), life_);
  ledger_->on_group([this](std::span<const port::StoredRecord> group) {
    for (const auto& record : group) from_.calendar.see(record);
  });
  bool went_well = co_await catch_up();
  if (went_well) went_well = co_await keep_specs();
  if (went_well) went_well = co_await record(event::HostStarted{"months"});
  if (!went_well) co_return false;
  run::Surroundings around{.world = life_.world,
                           .ledger = *ledger_,
                           .agents = from_.agents,
                           .cleaner = kNothingIsSecret,
                           .warn = [](const std::string&) {}};
  worker_.emplace(std::move(around));
  slots_.emplace(life_.world, *ledger_, members_, from_.log);
  for (const auto& [id, member] : members_.members()) ledger_->serve(id, true);
  worker_->start();
  co_await slots_->start();
  retention_.emplace(life_.world, *ledger_, *ledger_, host::Retention::Rules{from_.retention}, [](const std::string&) {});
  retention_->start();
  co_return !life_.dead();
}

// Records that were durable before the last process heard of them.
Async<bool> Host::catch_up() {
  while (true) {
    auto reading = ledger_->events_after(from_.calendar.seen(), kAtOnce);
    const auto some = co_await std::move(reading);
    if (!some) co_return false;
    if (some->empty()) co_return true;
    for (const auto& record : *some) from_.calendar.see(record);
  }
}

Async<bool> Host::keep_specs() {
  std::vector<port::AgentSpecText> texts;
  for (const auto& spec : from_.specs) texts.push_back({spec.agent_id, member_of(spec).manifest});
  auto keeping = ledger_->put_specs(std::move(texts));
  const auto kept = co_await std::move(keeping);
  if (!kept) co_return false;
  for (std::size_t i = 0; i < from_.specs.size(); ++i) {
    auto member = member_of(from_.specs[i]);
    member.revision = (*kept)[i].revision;
    members_.add(std::move(member));
  }
  co_return true;
}

Async<bool> Host::record(event::Body body) {
  port::Transition transition{.records = {event::to_record(body)}};
  auto recording = ledger_->commit(std::move(transition));
  const auto recorded = co_await std::move(recording);
  co_return recorded.has_value();
}

void Host::leave(Millis drain_timeout) {
  world_.run(unwind(drain_timeout));
  world_.advance(kLongestPause);
}

Async<bool> Host::unwind(Millis drain_timeout) {
  if (slots_) slots_->stop();
  if (retention_) retention_->stop();
  if (worker_) co_await worker_->drain(drain_timeout);
  if (ledger_) co_await record(event::HostStopped{"SIGTERM"});
  while (ledger_ && ledger_->is_busy()) co_await sleep(life_.world.timers, kLookAgain, kNever);
  co_return true;
}

}  // namespace agentd::sim::months
