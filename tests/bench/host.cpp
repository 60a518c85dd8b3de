// bench_host WHAT --folder NEW_FOLDER [--option value]...: the whole host but its API. One line of JSON. The folder keeps the ledger.
//   runs    runs through a model endpoint and a tool, everything durable: --url --runs --in-flight --recall --plugins,
//           and --listen yes: somebody takes every word that the model streams
//   agents  agents at rest: --agents; a second time over the same folder it is a restart
//   slots   as many slots due at the same instant, until durable: --slots
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "core/event/record.hpp"
#include "host/slots.hpp"
#include "tests/bench/measure.hpp"
#include "tests/bench/whole_host.hpp"

namespace agentd::bench {
namespace {

constexpr std::size_t kEnteredAtOnce = 64;
constexpr Millis kLook{2};
constexpr Millis kPeriod{10'000}, kJustBefore{20};

double rss_bytes() {
  std::ifstream statm("/proc/self/statm");
  double size = 0, resident = 0;
  statm >> size >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

// ---- runs

void write_the_agent(const std::filesystem::path& folder, const std::string& url, int in_flight, int recall) {
  const auto many = std::to_string(in_flight);
  configure(folder, "[providers.openai]\nbase_url = \"" + url + "\"\napi_key = \"env:AGENTD_BENCH_KEY\"\nmax_concurrent = " + many + "\n");
  write_file(folder / "agents/watch.toml", R"(system_instruction = "Monitor system resources and performance"
[model]
provider = "openai"
model = "gpt-4o-mini"
temperature = 0.0
[task]
query = "Check CPU, memory and disk usage"
params = { thresholds = { cpu_usage = 80, memory_usage = 85, disk_usage = 90 } }
[tools]
allow = ["probe.*"]
[memory]
session = "run"
recall = )" + std::to_string(recall) + "\n[limits]\nmax_concurrent = " + many + "\n");
}

Async<void> enter(WholeHost& host, const host::Member& member, int runs) {
  for (int entered = 0; entered < runs;) {
    std::vector<port::Entry> group(std::min(kEnteredAtOnce, static_cast<std::size_t>(runs - entered)));
    for (auto& entry : group) {
      event::Entered asked{.trigger = "api", .key = "bench@" + std::to_string(++entered)};
      entry = {.agent_id = member.agent_id, .key = asked.key, .nonce = static_cast<std::uint32_t>(host.ground.random.next()), .due_at = host.ground.clock.now(),
               .revision = member.revision, .queue_size = static_cast<std::uint32_t>(runs), .max_concurrent = member.max_concurrent,
               .payload = event::encode(asked)};
    }
    const auto admitted = co_await host.engine.ledger().enqueue(std::move(group));
    if (!admitted) std::fprintf(stderr, "%s\n", admitted.error().message.c_str()), std::exit(1);
  }
}

// Takes what is said as a follower of the event stream would.
class Follower {
 public:
  Follower(host::Deltas& deltas, Executor executor) : reader_(deltas, {}), executor_(std::move(executor)) { wait(); }

 private:
  void wait() {
    reader_.when_heard([this] { boost::asio::post(executor_, [this] { take(); }); });
  }
  void take() {
    for (const auto& piece : reader_.take()) bytes_ += host::to_json(piece).size();
    wait();
  }
  host::Deltas::Reader reader_;
  Executor executor_;
  std::size_t bytes_ = 0;
};

Async<int> measure_runs(WholeHost& host, int runs, int in_flight, bool listens) {
  std::optional<Follower> follower;
  if (listens) follower.emplace(host.engine.deltas(), host.ground.world.executor);
  co_await host.open();
  co_await host.load_agents();
  co_await host.start();
  auto& ledger = host.engine.ledger();
  const auto before = ledger.vitals();
  const Cost cost;
  co_await enter(host, *host.engine.roster().members().begin()->second, runs);
  while (ledger.stats("watch").run_count < runs) co_await sleep(host.ground.timers, kLook, std::stop_token());
  const double cpu_us = cost.cpu_us(), wall_s = cost.wall_s();
  const auto after = ledger.vitals();
  const auto rows = static_cast<double>(after.records - before.records);
  Line line("host_runs");
  line.add("runs", runs).add("in_flight", in_flight).add("cpu_us_per_run", cpu_us / runs).add("runs_per_s", runs / wall_s).add("peak_rss_mb", peak_rss_mb());
  line.add("rows_per_run", rows / runs).add("rows_per_group", rows / static_cast<double>(after.groups - before.groups));
  line.add("failed", static_cast<double>(ledger.stats("watch").error_count)).print();
  co_await host.stop();
  co_return 0;
}

int runs(const Options& options) {
  const std::filesystem::path folder = options.text("--folder", "");
  const int in_flight = options.number("--in-flight", 64);
  ::setenv("AGENTD_BENCH_KEY", "sk-bench", 1);
  write_the_agent(folder, options.text("--url", ""), in_flight, options.number("--recall", 0));
  WholeHost host(folder, {options.text("--plugins", "")});
  return host.run(measure_runs(host, options.number("--runs", 10000), in_flight, options.text("--listen", "no") == "yes"));
}

// ---- agents and slots

// Native tasks, which need no endpoint; nothing runs here.
void write_agents(const std::filesystem::path& folder, int count, const std::string& interval) {
  configure(folder, "");
  for (int i = 0; i < count; ++i) {
    const auto name = "agent-" + std::to_string(i);
    if (std::filesystem::exists(folder / "agents" / (name + ".toml"))) continue;
    write_file(folder / "agents" / (name + ".toml"), "description = \"Checks the disks of machine " + std::to_string(i) +
                                                         "\"\n[task]\nnative = \"disk_report\"\nparams = { thresholds = { disk_usage = 90 } }\n[schedule]\ninterval = \"" + interval + "\"\n");
  }
}

Async<int> measure_agents(WholeHost& host, int count) {
  co_await host.open();
  const double before = rss_bytes();
  const Cost cost;
  co_await host.load_agents();
  co_await host.start();
  host::Slots slots(host.ground.world, host.engine.ledger(), host.engine.roster(), host.ground.log);
  co_await slots.start();
  const double wall_s = cost.wall_s(), cpu_s = cost.cpu_us() / 1e6, after = rss_bytes();
  ::malloc_trim(0);
  Line line("host_agents");
  line.add("agents", count).add("load_s", wall_s).add("cpu_s", cpu_s).add("rss_bytes_each", (after - before) / count).add("trimmed_bytes_each", (rss_bytes() - before) / count);
  line.print();
  slots.stop();
  co_await host.stop();
  co_return 0;
}

int agents(const Options& options) {
  const std::filesystem::path folder = options.text("--folder", "");
  const int count = options.number("--agents", 100000);
  write_agents(folder, count, "30d");
  WholeHost host(folder);
  return host.run(measure_agents(host, count));
}

// The slots of the first instant that all agents share once the last of them is loaded. Nobody claims: what is measured is how late a run is durable.
Async<int> measure_slots(WholeHost& host, int count) {
  co_await host.open();
  co_await host.load_agents();
  Instant due{};
  std::vector<double> late_ms;
  const auto take = [&](std::span<const port::StoredRecord> group) {
    const auto now = host.ground.clock.now();
    for (const auto& record : group)
      if (record.kind == event::Entered::kKind && due != Instant() && now >= due) late_ms.push_back(std::chrono::duration<double, std::milli>(now - due).count());
  };
  host.engine.ledger().on_group(take);
  host::Slots slots(host.ground.world, host.engine.ledger(), host.engine.roster(), host.ground.log);
  co_await slots.start();
  const auto now = host.ground.clock.now().time_since_epoch();
  due = Instant((now / kPeriod + 1) * kPeriod);
  co_await sleep(host.ground.timers, due - host.ground.clock.now() - kJustBefore, std::stop_token());
  const Cost cost;
  while (late_ms.size() < static_cast<std::size_t>(count)) co_await sleep(host.ground.timers, kLook, std::stop_token());
  std::ranges::sort(late_ms);
  Line("host_slots").add("slots", count).add("p50_ms", late_ms[late_ms.size() / 2]).add("p99_ms", late_ms[late_ms.size() * 99 / 100]).add("worst_ms", late_ms.back()).add("cpu_ms", cost.cpu_us() / 1000).print();
  slots.stop();
  co_await host.stop();
  co_return 0;
}

int slots(const Options& options) {
  const std::filesystem::path folder = options.text("--folder", "");
  const int count = options.number("--slots", 10000);
  write_agents(folder, count, "10s");
  WholeHost host(folder);
  return host.run(measure_slots(host, count));
}

}  // namespace
}  // namespace agentd::bench

int main(int argc, char** argv) {
  using namespace agentd::bench;
  const Options options(argc, argv);
  const std::string_view what = argc > 1 ? argv[1] : "";
  allow_many_files();
  if (what == "runs") return runs(options);
  if (what == "agents") return agents(options);
  if (what == "slots") return slots(options);
  return std::fputs("bench_host runs | agents | slots --folder FOLDER [--option value]...\n", stderr), 2;
}
