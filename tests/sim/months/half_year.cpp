#include "tests/sim/months/half_year.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "core/tool/catalog.hpp"
#include "tests/sim/months/fleet.hpp"

namespace agentd::sim::months {
namespace {

using namespace std::chrono;

constexpr Millis kFirstLife = 2h, kDrain = 25s, kDyingTakes = 6h, kEndTakes = 240h, kSampleEvery = 24h, kCountEvery = 168h;
constexpr double kFlat = 1.1;  // the last quarter against the second, which begins when retention has begun to remove
constexpr std::size_t kRowsAtOnce = 1'000;

std::map<std::string, manifest::Prices> no_prices() { return {}; }

std::size_t resident_bytes() {
  std::ifstream in("/proc/self/statm");
  std::size_t size = 0, resident = 0;
  in >> size >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::size_t real_bytes(const std::filesystem::path& folder) {
  std::size_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) bytes += entry.file_size();
  return bytes;
}

Async<std::size_t> count_runs(MortalLedger& ledger) {
  std::size_t count = 0;
  for (Position before = 0;;) {
    port::RunFilter filter{.agent_id = {}, .status = {}, .before = before, .limit = kRowsAtOnce};
    auto listing = ledger.list(std::move(filter));
    const auto rows = co_await std::move(listing);
    if (!rows || rows->empty()) co_return count;
    count += rows->size();
    before = rows->back().run.position;
  }
}

Async<std::size_t> count_records(MortalLedger& ledger) {
  std::size_t count = 0;
  for (Position after = 0;;) {
    auto reading = ledger.events_after(after, kRowsAtOnce);
    const auto records = co_await std::move(reading);
    if (!records || records->empty()) co_return count;
    count += records->size();
    after = records->back().position;
  }
}

}  // namespace

HalfYear::HalfYear(Plan plan, Disk& disk, std::filesystem::path folder, const host::Log& log)
    : plan_(plan),
      disk_(disk),
      dice_(plan.seed),
      begin_(sys_days(2026y / 10 / 1)),  // summer ends in the north on 25 October and 1 November, and begins again in March
      end_(begin_ + plan.days),
      specs_(make_fleet(dice_, plan.agents)),
      calendar_(specs_, begin_, end_ + kEndTakes),
      elsewhere_(Dice(dice_.next())),
      installation_{std::move(folder), specs_, *this, log, calendar_, elsewhere_, plan.retention},
      wall_(begin_) {
  disk_.format(dice_.next());
  for (const auto& spec : specs_) agents_[spec.agent_id] = make(spec);
  samples_.reserve(static_cast<std::size_t>(plan.days.count()) + 8);
}

// The endpoint is each process's own, at one place.
run::AgentRef HalfYear::make(const manifest::AgentSpec& spec) {
  endpoint_.emplace(kModel, elsewhere_, 6h, no_prices());
  run::Parts parts{.spec = spec,
                   .endpoint = spec.task.is_native() ? nullptr : &*endpoint_,
                   .task = spec.task.is_native() ? &elsewhere_ : nullptr,
                   .gate = spec.gate ? &elsewhere_ : nullptr,
                   .tools = {},
                   .memory = {}};
  auto made = run::make_agent(std::move(parts));
  if (!made) std::abort();
  return std::move(*made);
}

void HalfYear::run() {
  while (wall_ < end_ && calendar_.objections().empty() && objections_.empty()) {
    one_life();
    rest();
  }
}

void HalfYear::one_life() {
  disk_.boot();
  Host host(installation_, dice_.next(), wall_);
  endpoint_.emplace(kModel, elsewhere_, 6h, no_prices());
  const bool first = wall_ == begin_;
  auto until = wall_ + (first ? kFirstLife : dice_.percent(30) ? dice_.between(1min, 12h) : dice_.between(12h, 240h));
  const bool last = until > end_ - 48h;
  if (last) until = end_;
  if (!host.start()) objections_.push_back("the host does not come up at " + format_instant(wall_));
  if (objections_.empty()) live_until(host, until);
  if (last)
    end(host);
  else if (first || dice_.percent(55))
    ++stops;
  else
    kill(host);
  host.leave(kDrain);
  wall_ = host.world().now();
}

void HalfYear::live_until(Host& host, Instant until) {
  auto& world = host.world();
  while (!host.is_dead() && world.now() < until && calendar_.objections().empty()) {
    if (samples_.empty() || world.now() - begin_ - samples_.back().at >= kSampleEvery) sample(host);
    const auto timer = world.next_timer();
    world.advance(std::min<Millis>(until - world.now(), timer.value_or(Millis(60'000))));
  }
}

// Between two things that happen, or while something is written.
void HalfYear::kill(Host& host) {
  const bool loses_power = dice_.percent(40);
  const auto loss = !loses_power ? Disk::Loss::nothing : dice_.of({Disk::Loss::unsynced, Disk::Loss::unsynced_but_the_last});
  ++(loses_power ? power_losses : kills);
  const auto die = [&] {
    disk_.cut(loss, dice_.next());
    if (loses_power && dice_.percent(50)) std::filesystem::remove(installation_.folder / "ledger.db.claims");  // it is not synced
    host.die();
  };
  if (dice_.percent(70)) {
    auto operations = 1 + dice_.below(300);
    disk_.before = [&](Disk::Operation) {
      if (operations == 0 || --operations > 0) return 0;
      die();
      return SQLITE_IOERR;
    };
    live_until(host, host.world().now() + kDyingTakes);
    disk_.before = nullptr;
  }
  if (!host.is_dead()) die();
}

// Every run that is live comes to its end.
void HalfYear::end(Host& host) {
  auto& world = host.world();
  host.stop_schedules();
  const auto stopped = world.now();
  while (calendar_.live() > 0 && world.now() < stopped + kEndTakes) world.advance(1min);
  if (calendar_.live() > 0) objections_.push_back(std::to_string(calendar_.live()) + " runs do not end: " + calendar_.most_live());
  calendar_.expect_all_accounted_for(stopped);
  sample(host);
}

void HalfYear::rest() {
  Millis down = dice_.between(1min, 60min);
  if (dice_.percent(30)) down = dice_.between(1h, 12h);
  if (dice_.percent(10)) down = dice_.between(12h, 216h);
  if (wall_ + down > end_ - 24h) down = 1min;
  wall_ += down;
  away += down;
}

void HalfYear::sample(Host& host) {
  Sample sample{.at = host.world().now() - begin_,
                .resident_bytes = resident_bytes(),
                .ledger_bytes = disk_.size_of(".db"),
                .wal_bytes = disk_.size_of("-wal"),
                .other_bytes = real_bytes(installation_.folder)};
  if (last_count_ < Millis(0) || sample.at - last_count_ >= kCountEvery) {
    last_count_ = sample.at;
    sample.runs = host.world().run(count_runs(host.ledger()));
    sample.records = host.world().run(count_records(host.ledger()));
  }
  samples_.push_back(sample);
}

// Of the second quarter and of the last.
template <class T>
std::pair<T, T> HalfYear::most(T (*of)(const Sample&)) const {
  std::pair<T, T> most{};
  const Millis quarter = Millis(plan_.days) / 4;
  for (const auto& sample : samples_) {
    if (sample.at >= quarter && sample.at < 2 * quarter) most.first = std::max(most.first, of(sample));
    if (sample.at >= 3 * quarter) most.second = std::max(most.second, of(sample));
  }
  return most;
}

std::vector<std::string> HalfYear::objections() const {
  auto all = calendar_.objections();
  all.insert(all.end(), objections_.begin(), objections_.end());
  const auto expect_flat = [&](const char* what, std::size_t (*of)(const Sample&)) {
    const auto [second, last] = most<std::size_t>(of);
    if (static_cast<double>(last) > kFlat * static_cast<double>(second))
      all.push_back(std::string(what) + " grew: " + std::to_string(second) + " at most in the second quarter, " +
                    std::to_string(last) + " in the last");
  };
  expect_flat("the process", [](const Sample& s) { return s.resident_bytes; });
  expect_flat("the ledger's file", [](const Sample& s) { return s.ledger_bytes; });
  expect_flat("its log", [](const Sample& s) { return s.wal_bytes; });
  expect_flat("what it keeps beside it", [](const Sample& s) { return s.other_bytes; });
  expect_flat("the number of runs", [](const Sample& s) { return s.runs.value_or(0); });
  expect_flat("the number of records", [](const Sample& s) { return s.records.value_or(0); });
  return all;
}

}  // namespace agentd::sim::months
