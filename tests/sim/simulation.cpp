#include "tests/sim/simulation.hpp"

#include <algorithm>
#include <map>

#include "core/budget/days.hpp"
#include "core/run/endpoint.hpp"
#include "core/run/state.hpp"
#include "host/batch_item.hpp"
#include "host/raises.hpp"
#include "tests/sim/agents.hpp"
#include "tests/sim/last_look.hpp"

namespace agentd::sim {
namespace {

using namespace std::chrono;

constexpr Millis kFullQueue = 5s;  // then a batch's sender tries again
constexpr std::size_t kMostBatches = 3;
constexpr std::size_t kMostOld = 64, kMostRefused = 100;
constexpr unsigned kStruckStarts = 25;  // of a hundred
constexpr Millis kMostTime = 4h, kKindBefore = 1min, kLongestEnd = 12h, kPatience = 30s, kCopyTakes = 2min,
                 kCopyStep = 100ms;

// How much goes wrong before the world is kind. Most seeds are short, so that there can be many of them; some go on until queues are
// full and budgets used up.
struct Extent {
  std::size_t runs, faults;
  Millis time;
};
constexpr Extent kShort{12, 4, 40s}, kLong{100, 10, 10min};
constexpr std::uint64_t kLongOneIn = 32;

// What is looked at of a manifest: whether it, and its schedule, is another one.
std::string manifest_text(std::uint64_t edit) { return R"({"description":")" + std::to_string(edit) + R"(","schedule":{}})"; }

std::map<std::string, manifest::Prices> no_prices() { return {}; }

// What somebody has sent, or is about to.
struct Batch {
  std::string agent, name;
  std::vector<std::string> keys;
  std::set<std::string> acknowledged;
  bool under_way = false;
  bool is_in() const { return acknowledged.size() == keys.size(); }
};

class Simulation final : public Machine, public run::AgentSource {
 public:
  Simulation(std::uint64_t seed, const Ground& ground, Coverage& coverage);
  Verdict run();

  void kill(Disk::Loss loss) override;
  void drain() override { drain_wanted_ = true; }
  void set_clock(Millis by) override;
  void suspend(Millis by) override { process_->clock().suspend(by); }
  void note(std::string what) override { witness_.note(std::move(what)); }
  void later(Millis delay, std::function<void()> what) override { later_.emplace(now() + delay, std::move(what)); }
  Async<Result<run::AgentRef>> agent(std::string agent_id, std::int64_t revision) override;
  Async<Result<run::AgentRef>> agent_with(std::string agent_id, std::int64_t revision, Change change) override;

 private:
  enum class Phase { hostile, kind, ending, leaving, looking, over };
  Tick now() const { return process_ ? before_ + process_->clock().tick().time_since_epoch() : before_; }
  void one_life();
  void rest();
  void step(Process& process);
  void act(Process& process);
  void wreck(const Process& process);
  void wreck_start();
  void edit();
  void use(Process& process);
  void become_kind();
  void ask(Process& process);
  void cancel(Process& process);
  void send_late(Process& process);
  void decide(Process& process);
  void raise(Process& process);
  void raise(Process& process, const std::string& scope, const port::Spend& limit);
  void review(Process& process);
  void submit(Process& process);
  port::Entry entry_of(Process& process, const std::string& agent, const event::Entered& entered);
  static Async<void> enter(WatchedLedger& ledger, port::Entry entry);
  static Async<void> cancel_run(Process& process, RunId run);
  static Async<void> decide_call(Process& process, run::CallPlace call, bool approve);
  static Async<void> review_run(Process& process, RunId run, event::Reviewed reviewed);
  static Async<void> send_batch(Process& process, Batch& batch, std::vector<port::Entry> entries);
  static Async<void> raise_account(Process& process, host::Raise raise);
  Async<void> send(Process& process, port::Transition transition);
  run::AgentRef make(const manifest::AgentSpec& spec);

  Dice dice_;
  const Ground& ground_;
  const Instant begin_;
  const Extent least_;
  const std::vector<manifest::AgentSpec> specs_;
  Witness witness_;
  Faults faults_;
  Outside outside_;
  std::optional<run::Endpoint> endpoint_;
  std::map<std::string, run::AgentRef> agents_;
  Calendar calendar_;
  Installation installation_;

  Phase phase_ = Phase::hostile;
  Process* process_ = nullptr;
  Instant wall_;
  Tick before_{};  // when the process began, in the time of this world
  Tick next_action_{}, aimed_at_{}, phase_began_{};
  std::multimap<Tick, std::function<void()>> later_;
  std::deque<port::Transition> old_;  // of processes that are gone
  std::deque<Batch> batches_;
  bool drain_wanted_ = false, raise_wanted_ = false, review_wanted_ = false;
  unsigned calm_ = 0;  // how often of a hundred nothing is to go wrong for now
  std::uint64_t keys_ = 0, edits_ = 0;
  std::size_t processes_ = 0, refused_ = 0;  // refused: starts in a row that came to nothing
};

Simulation::Simulation(std::uint64_t seed, const Ground& ground, Coverage& coverage)
    : dice_(seed),
      ground_(ground),
      begin_(beginning(dice_)),
      least_(dice_.below(kLongOneIn) == 0 ? kLong : kShort),
      specs_(make_agents(dice_, begin_)),
      witness_(specs_, make_host_limit(dice_)),
      faults_(Dice(dice_.next()), ground.disk, *this, coverage),
      outside_(Dice(dice_.next()), faults_, witness_),
      installation_{ground.folder, specs_, {}, *this, ground.log, faults_, witness_, outside_},
      wall_(begin_) {
  ground_.disk.format(dice_.next());
  calm_ = dice_.of({30u, 60u, 85u});
  std::filesystem::remove(ground_.folder / "ledger.db.claims");
  for (const auto& spec : specs_) {
    installation_.manifests[spec.agent_id] = manifest_text(0);
    agents_[spec.agent_id] = make(spec);
  }
}

// The endpoint is each process's own, at one place.
run::AgentRef Simulation::make(const manifest::AgentSpec& spec) {
  endpoint_.emplace(kModel, outside_, 30s, no_prices());
  run::Parts parts{.spec = spec,
                   .endpoint = &*endpoint_,
                   .task = spec.task.is_native() ? &outside_ : nullptr,
                   .gate = spec.gate ? &outside_ : nullptr,
                   .tools = {},
                   .memory = {.episodic = &outside_, .long_term = &outside_},
                   .host_cost_per_day = witness_.host_limit()};
  auto tools = tool::Catalog::build({{kTools, &outside_, 0, outside_.tools()}}, spec.tools);
  if (!tools) std::abort();
  parts.tools = std::move(*tools);
  auto made = run::make_agent(std::move(parts));
  if (!made) std::abort();
  std::const_pointer_cast<run::Agent>(*made)->prices = &kPrices;  // which outlive the endpoint
  return *made;
}

Async<Result<run::AgentRef>> Simulation::agent(std::string agent_id, std::int64_t) {
  if (phase_ == Phase::hostile && dice_.percent(1)) co_return fail(ErrorClass::retryable, "its revision cannot be read now");
  co_return agents_.at(agent_id);
}

Async<Result<run::AgentRef>> Simulation::agent_with(std::string agent_id, std::int64_t revision, Change change) {
  auto finding = agent(agent_id, revision);
  auto found = co_await std::move(finding);
  if (!found) co_return found;
  auto spec = (*found)->spec;
  change(spec);
  co_return make(spec);
}

Verdict Simulation::run() {
  while (phase_ != Phase::over && witness_.objections().empty()) {
    one_life();
    rest();
  }
  Verdict verdict{.objections = witness_.objections(),
                  .digest = outside_.digest(),
                  .runs = witness_.accepted(),
                  .faults = faults_.struck(),
                  .processes = processes_,
                  .records = witness_.records().size(),
                  .lasted = floor<Millis>(before_ - Tick{})};
  if (!verdict.objections.empty()) verdict.story = witness_.story();
  const auto add = [&](std::string_view text) {
    for (const char c : text) verdict.digest = (verdict.digest ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  };
  for (const auto& record : witness_.records()) {
    add(std::to_string(record.position) + ' ' + std::to_string(record.kind) + ' ' +
        std::to_string(record.at.time_since_epoch().count()) + ' ' + to_text(record.run));
    add(record.payload);
  }
  return verdict;
}

// ---- processes

void Simulation::one_life() {
  ground_.disk.boot();
  ++processes_;
  Process process(installation_, dice_.next(), wall_);
  process_ = &process;
  endpoint_.emplace(kModel, outside_, 30s, no_prices());
  next_action_ = now() + dice_.between(0ms, 2s);
  witness_.note("a process, at " + format_instant(wall_));
  refused_ = process.start() ? 0 : refused_ + 1;
  if (refused_ > kMostRefused) witness_.object("the host does not come up any more");
  if (phase_ == Phase::looking && process.is_up()) {
    process.stop_schedules();
    if (process.world().run(look_at_rows(process.ledger(), witness_))) phase_ = Phase::over;
    for (auto left = kCopyTakes;
         left > Millis(0) && !outside_.copies().contains(event_id(static_cast<Position>(witness_.records().size()), 0));
         left -= kCopyStep)
      process.world().advance(kCopyStep);
    witness_.expect_all_over();
    look_at_slots(calendar_, witness_);
    look_at_copies(outside_, witness_);
    look_at_memories(outside_, witness_);
    look_at_chains(witness_);
    look_at_digests(witness_);
    look_at_budgets(process.ledger(), witness_);
    for (const auto& batch : batches_)
      for (const auto& key : batch.acknowledged)
        if (!witness_.has_key(batch.agent, key)) witness_.object("the item " + key + " of a batch was taken and is lost");
  }
  while (process.is_up() && phase_ != Phase::over && witness_.objections().empty()) step(process);
  wall_ = process.clock().now();
  before_ = now();
  process_ = nullptr;
  if (process.has_ledger()) {
    old_.insert(old_.end(), process.ledger().sent().begin(), process.ledger().sent().end());
    while (old_.size() > kMostOld) old_.pop_front();
  }
  witness_.note((process.is_dead() ? "it is dead, at " : "it has ended, at ") + format_instant(wall_));
  process.leave();
  if (!process.is_dead()) witness_.process_left();
  if (phase_ == Phase::leaving) phase_ = Phase::looking;
}

// Until somebody starts it again, at times with a clock that is wrong.
void Simulation::rest() {
  drain_wanted_ = false;
  for (auto& batch : batches_) batch.under_way = false;
  const Millis down = dice_.percent(85) ? dice_.between(100ms, 20s) : dice_.between(20s, 20min);
  before_ += down;
  wall_ += down;
  if (phase_ == Phase::hostile && dice_.percent(8)) set_clock(dice_.between(-90min, 90min));
  if (phase_ == Phase::hostile && dice_.percent(kStruckStarts)) wreck_start();
  while (!later_.empty() && later_.begin()->first <= before_) later_.extract(later_.begin()).mapped()();
}

void Simulation::kill(Disk::Loss loss) {
  if (process_->is_dead()) return;
  ground_.disk.cut(loss, dice_.next());
  const bool forgets = loss != Disk::Loss::nothing && dice_.percent(50);  // who had claimed what: that is not synced
  if (forgets) std::filesystem::remove(ground_.folder / "ledger.db.claims");
  if (process_->has_ledger()) {
    auto held = process_->ledger().held();
    if (forgets) held.insert(process_->ledger().abandoned().begin(), process_->ledger().abandoned().end());
    witness_.process_died(held, process_->ledger().claims());
  }
  process_->die();
}

void Simulation::set_clock(Millis by) {
  if (process_)
    process_->world().jump(by);
  else
    wall_ += by;
  witness_.note("the clock is set by " + std::to_string(by.count()) + " ms");
  calendar_.went_back = calendar_.went_back || by < Millis(0);
}

// ---- what happens while one is up

void Simulation::step(Process& process) {
  while (!later_.empty() && later_.begin()->first <= now()) later_.extract(later_.begin()).mapped()();
  if (std::exchange(drain_wanted_, false)) process.drain(dice_.between(0s, 25s));
  if (now() >= next_action_) act(process);
  auto hop = floor<Millis>(next_action_ - now());
  if (!later_.empty()) hop = std::min(hop, ceil<Millis>(later_.begin()->first - now()));
  if (const auto timer = process.world().next_timer()) hop = std::min(hop, *timer);
  process.world().advance(std::max(hop, Millis(0)));
}

void Simulation::act(Process& process) {
  next_action_ = now() + dice_.between(200ms, 5s);
  if (process.worker().in_flight() == 0 && !process.ledger().is_busy() && process.ledger().abandoned().empty())
    witness_.expect_nothing_held(process.ledger());
  const Millis in_phase = floor<Millis>(now() - phase_began_);
  switch (phase_) {
    case Phase::hostile: {
      if (process.is_draining()) return;
      const bool enough = witness_.accepted() >= least_.runs && faults_.struck() >= least_.faults && in_phase >= least_.time;
      if (enough || in_phase > kMostTime) return become_kind();
      wreck(process);
      if (std::exchange(raise_wanted_, false)) raise(process);
      if (std::exchange(review_wanted_, false)) review(process);
      return use(process);
    }
    case Phase::kind:
      if (in_phase < kKindBefore) return;
      process.stop_schedules();
      calendar_.stopped = process.clock().now();
      phase_ = Phase::ending;
      return;
    case Phase::ending:
      if (witness_.live() == 0 && witness_.untold() == 0 && std::ranges::none_of(batches_, &Batch::under_way)) {
        phase_ = Phase::leaving;
        drain_wanted_ = true;
        return;
      }
      raise(process);
      if (in_phase > kLongestEnd) {
        witness_.expect_all_over();
        witness_.object("the world is kind, and yet it does not come to rest");
      }
      return;
    default:
      return;
  }
}

void Simulation::become_kind() {
  phase_ = Phase::kind;
  phase_began_ = now();
  faults_.cease();
  outside_.be_kind();
}

void Simulation::wreck(const Process& process) {
  if (faults_.is_ready() && now() - aimed_at_ < kPatience) return;
  if (!faults_.is_ready() && dice_.percent(calm_)) return;
  aimed_at_ = now();
  switch (dice_.below(10)) {
    case 0:
      faults_.aim(dice_.of({Column::released, Column::released, Column::host_stopped}));
      drain_wanted_ = true;
      return;
    case 1:
      faults_.aim(Column::budget_raised);
      raise_wanted_ = true;
      return;
    case 2:
      if (process.quarantine().runs().empty()) return faults_.arm();
      faults_.aim(Column::reviewed);
      review_wanted_ = true;
      return;
    default:
      return faults_.arm();
  }
}

// The next process is struck as it comes up.
void Simulation::wreck_start() {
  aimed_at_ = now();
  const auto column = dice_.of({Column::host_started, Column::agent_changed, Column::specs});
  if (column != Column::host_started) edit();
  faults_.aim(column);
}

// An agent's text alone: it does as before.
void Simulation::edit() { installation_.manifests[specs_.front().agent_id] = manifest_text(++edits_); }

void Simulation::use(Process& process) {
  switch (dice_.below(19)) {
    case 0:
      return cancel(process);
    case 1:
    case 2:
      return send_late(process);
    case 3:
      if (dice_.percent(10)) drain_wanted_ = true;
      return;
    case 4:
      if (dice_.percent(10)) kill(Disk::Loss::nothing);
      return;
    case 5:
    case 6:
    case 7:
    case 8:
    case 9:
    case 10:
      return ask(process);
    case 11:
    case 12:
      return decide(process);
    case 13:
      if (dice_.percent(25)) raise(process);
      return;
    case 14:
    case 15:
      return review(process);
    case 16:
      return submit(process);
    default:
      return;
  }
}

void Simulation::ask(Process& process) {
  const auto& spec = specs_[dice_.percent(80) ? specs_.size() - 1 - dice_.below(2) : dice_.below(specs_.size())];
  event::Entered entered{.trigger = "api"};
  if (dice_.percent(60)) entered.key = 'k' + std::to_string(dice_.percent(60) ? keys_++ : dice_.below(keys_ + 1));
  process.tell(enter(process.ledger(), entry_of(process, spec.agent_id, entered)));
}

// As the host takes in what is asked for over HTTP.
port::Entry Simulation::entry_of(Process& process, const std::string& agent, const event::Entered& entered) {
  const auto member = process.members().find(agent);
  return {.agent_id = agent,
          .key = entered.key,
          .nonce = static_cast<std::uint32_t>(dice_.next()),
          .due_at = process.clock().now(),
          .revision = member->revision,
          .leaves_record = false,
          .queue_size = member->queue_size,
          .max_concurrent = member->max_concurrent,
          .payload = event::encode(entered)};
}

// A new batch, or one whose sender did not come to its end, or does not know that: it is sent again, whole.
void Simulation::submit(Process& process) {
  const bool goes_on = !batches_.empty() && (batches_.size() >= kMostBatches || dice_.percent(50));
  if (!goes_on) {
    auto& batch = batches_.emplace_back();
    batch.agent = specs_[specs_.size() - 1 - dice_.below(2)].agent_id;
    batch.name = "b" + std::to_string(batches_.size());
    const auto items = static_cast<std::int64_t>(2 + dice_.below(8));
    for (std::int64_t line = 1; line <= items; ++line)
      batch.keys.push_back(host::batch_prefix(batch.name) + host::key_of_line(line));
  }
  auto& batch = goes_on ? batches_[dice_.below(batches_.size())] : batches_.back();
  if (std::exchange(batch.under_way, true)) return;
  std::vector<port::Entry> entries;
  for (const auto& key : batch.keys)
    entries.push_back(entry_of(process, batch.agent, {.trigger = "batch", .trigger_name = batch.name, .key = key}));
  process.tell(send_batch(process, batch, std::move(entries)));
}

// Item behind item, as the queue has room.
Async<void> Simulation::send_batch(Process& process, Batch& batch, std::vector<port::Entry> entries) {
  while (!entries.empty() && process.is_up() && !process.is_draining()) {
    auto entering = process.ledger().enqueue(entries);
    const auto entered = co_await std::move(entering);
    std::vector<port::Entry> left;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (entered && (*entered)[i].run)
        batch.acknowledged.insert(entries[i].key);
      else
        left.push_back(std::move(entries[i]));
    }
    entries = std::move(left);
    if (!entries.empty() && process.is_up()) co_await sleep(process.ports().timers, kFullQueue, process.death());
  }
  batch.under_way = false;
}

// Somebody looks at a run in quarantine and says what is to become of it.
void Simulation::review(Process& process) {
  using What = event::Reviewed::What;
  const auto& runs = process.quarantine().runs();
  if (runs.empty()) return;
  event::Reviewed reviewed;
  reviewed.what = dice_.of({What::edit, What::edit, What::retry, What::retry, What::drop});
  reviewed.by = "somebody";
  if (reviewed.what == What::edit) reviewed.query = "what else is to be done?";
  auto run = runs.begin();
  std::advance(run, static_cast<std::ptrdiff_t>(dice_.below(runs.size())));
  for (auto times = dice_.percent(20) ? 2 : 1; times > 0; --times) process.tell(review_run(process, *run, reviewed));
}

Async<void> Simulation::review_run(Process& process, RunId run, event::Reviewed reviewed) {
  auto loading = process.ledger().load(run);
  const auto records = co_await std::move(loading);
  if (!records) co_return;
  const auto state = run::fold(*records);
  if (!state) co_return;
  auto reviewing =
      process.ledger().commit(host::review(run, records->back().position, reviewed, state->session, process.clock().now()));
  const auto done = co_await std::move(reviewing);
}

Async<void> Simulation::enter(WatchedLedger& ledger, port::Entry entry) {
  std::vector<port::Entry> entries;
  entries.push_back(std::move(entry));
  auto entering = ledger.enqueue(std::move(entries));
  const auto entered = co_await std::move(entering);
}

void Simulation::cancel(Process& process) {
  std::vector<RunId> live;
  for (auto run = witness_.runs().rbegin(); run != witness_.runs().rend() && live.size() < 8; ++run)
    if (run->second.accepted() && !run->second.ended) live.push_back(run->second.run);
  if (!live.empty()) process.tell(cancel_run(process, live[dice_.below(live.size())]));
}

Async<void> Simulation::cancel_run(Process& process, RunId run) {
  auto cancelling = process.worker().cancel(run, "by hand");
  const auto cancelled = co_await std::move(cancelling);
}

void Simulation::decide(Process& process) {
  std::vector<run::CallPlace> open;
  for (const auto& [position, run] : witness_.runs())
    for (const auto& [step, index] : run.open) open.push_back({run.run, step, index});
  if (!open.empty()) process.tell(decide_call(process, open[dice_.below(open.size())], dice_.percent(60)));
}

Async<void> Simulation::decide_call(Process& process, run::CallPlace call, bool approve) {
  run::Word word{.approve = approve, .by = "somebody", .reason = {}, .arguments_hash = {}};
  auto deciding = process.decisions().decide(call, std::move(word));
  const auto decided = co_await std::move(deciding);
}

// Of an account that was ever used, or of one that will be.
void Simulation::raise(Process& process) {
  if (witness_.host_limit() > 0 && dice_.percent(30)) return raise(process, budget::kHostAccount, {0, witness_.host_limit()});
  std::vector<const manifest::AgentSpec*> limited;
  for (const auto& spec : specs_)
    if (spec.limits.tokens_per_day > 0 || spec.limits.cost_per_day > 0) limited.push_back(&spec);
  if (limited.empty()) return;
  const auto& spec = *limited[dice_.below(limited.size())];
  raise(process, budget::account_of(spec.agent_id), {spec.limits.tokens_per_day, spec.limits.cost_per_day});
}

void Simulation::raise(Process& process, const std::string& scope, const port::Spend& limit) {
  const bool of_cost = limit.cost > 0 && (limit.tokens == 0 || dice_.percent(50));
  const auto amount = of_cost ? limit.cost : limit.tokens;
  if (amount > 0) process.tell(raise_account(process, {scope, of_cost ? "cost" : "tokens", amount, "somebody"}));
}

Async<void> Simulation::raise_account(Process& process, host::Raise raise) {
  auto raising = host::raise_budget(process.ports(), process.ledger(), std::move(raise));
  const auto raised = co_await std::move(raising);
}

// What a worker that has lost its run may still send.
void Simulation::send_late(Process& process) {
  const auto& sent = process.ledger().sent();
  const auto& from = !old_.empty() && dice_.percent(50) ? old_ : sent;
  if (from.empty()) return;
  auto transition = from[dice_.below(from.size())];
  if (!process.ledger().holds(transition.run, transition.generation)) process.tell(send(process, std::move(transition)));
}

Async<void> Simulation::send(Process& process, port::Transition transition) {
  const auto run = transition.run;
  auto sending = process.ledger().port().commit(std::move(transition));
  const auto taken = co_await std::move(sending);
  if (taken && !process.is_dead())
    witness_.object("a record of run " + to_text(run) + " was taken from a worker that has lost it");
}

}  // namespace

Verdict simulate(std::uint64_t seed, const Ground& ground, Coverage& coverage) {
  Simulation simulation(seed, ground, coverage);
  return simulation.run();
}

}  // namespace agentd::sim
