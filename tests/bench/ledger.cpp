// What durability costs: standard runs (five rows) through the ledger's shared object, beside SQLite alone with the same rows and bytes in
// groups of 64. Ours are 128 in flight: while one half is written the other asks, so that its groups are as large. One JSON line per measurement.
//
//   bench_ledger SQLITE_PLUGIN [RUNS]
#include <sqlite3.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <iostream>

#include "core/base/real_world.hpp"
#include "core/plugin/instances.hpp"
#include "core/plugin/load.hpp"
#include "core/plugin/ports.hpp"
#include "tests/bench/measure.hpp"

namespace agentd {
namespace {

namespace fs = std::filesystem;
constexpr int kGroup = 64, kInFlight = 2 * kGroup, kRecords = 4, kBytes = 500, kRounds = 5;

using bench::Line;
struct Cost {
  explicit Cost(const bench::Cost& of) : seconds(of.wall_s()), cpu_us(of.cpu_us()) {}
  double seconds, cpu_us;
};

class Folder {
 public:
  Folder() {
    std::string text = (fs::temp_directory_path() / "agentd-bench-XXXXXX").string();
    path_ = ::mkdtemp(text.data());
  }
  ~Folder() { fs::remove_all(path_); }
  fs::path path_;
};

// The same rows and bytes without us: a group of 64 per transaction, statements kept.
Cost floor_of(int runs) {
  const Folder folder;
  sqlite3* db = nullptr;
  sqlite3_open((folder.path_ / "floor.db").c_str(), &db);
  const auto run = [db](const char* sql) {
    if (sqlite3_exec(db, sql, nullptr, nullptr, nullptr) != SQLITE_OK) std::abort();
  };
  run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4096; PRAGMA cache_size=-8192");
  run("CREATE TABLE runs(id INTEGER PRIMARY KEY, agent INTEGER, nonce INTEGER, key TEXT, status INTEGER, revision INTEGER, due INTEGER, entered INTEGER, last INTEGER, "
      "checksum INTEGER, payload TEXT); CREATE UNIQUE INDEX k ON runs(agent,key);"
      "CREATE TABLE records(position INTEGER PRIMARY KEY, run INTEGER, prev INTEGER, kind INTEGER, at INTEGER, checksum INTEGER, payload TEXT)");
  const auto prepare = [db](const char* sql) {
    sqlite3_stmt* s = nullptr;
    if (sqlite3_prepare_v2(db, sql, -1, &s, nullptr) != SQLITE_OK) std::abort();
    return s;
  };
  auto* enter = prepare("INSERT INTO runs VALUES(?,?,?,?,?,?,?,?,?,?,?)");
  auto* append = prepare("INSERT INTO records VALUES(?,?,?,?,?,?,?)");
  auto* end = prepare("UPDATE runs SET status=?,due=?,last=?,checksum=? WHERE id=?");
  const std::string payload(kBytes, 'x');
  const auto bind = [](sqlite3_stmt* s, std::initializer_list<std::int64_t> values) {
    int i = 0;
    for (const auto v : values) sqlite3_bind_int64(s, ++i, v);
  };
  const auto done = [](sqlite3_stmt* s) {
    if (sqlite3_step(s) != SQLITE_DONE) std::abort();
    sqlite3_reset(s);
  };
  const std::int64_t now = 1'700'000'000'000;
  std::int64_t position = 0;
  const bench::Cost meter;
  for (int from = 0; from < runs; from += kGroup) {
    const auto first = position + 1;
    run("BEGIN IMMEDIATE");
    for (int i = 0; i < kGroup; ++i) {
      const auto key = "agent" + std::to_string(i) + "@" + std::to_string(from + i);
      bind(enter, {++position, i, 12345678, 0, 1, 1, now, now, position, 123456789});
      sqlite3_bind_text(enter, 4, key.data(), static_cast<int>(key.size()), SQLITE_STATIC);
      sqlite3_bind_text(enter, 11, payload.data(), kBytes, SQLITE_STATIC);
      done(enter);
    }
    run("COMMIT");
    for (int n = 0; n < kRecords; ++n) {
      run("BEGIN IMMEDIATE");
      for (int i = 0; i < kGroup; ++i) {
        bind(append, {++position, first + i, position - kGroup, n, now, 123456789});
        sqlite3_bind_text(append, 7, payload.data(), kBytes, SQLITE_STATIC);
        done(append);
        if (n + 1 < kRecords) continue;
        bind(end, {10, now, position, 123456789, first + i});
        done(end);
      }
      run("COMMIT");
    }
  }
  const Cost cost(meter);
  for (auto* s : {enter, append, end}) sqlite3_finalize(s);
  sqlite3_close(db);
  return cost;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

class Bench {
 public:
  Bench(plugin::Library& library, const fs::path& folder)
      : timers_(io_), world_{io_.get_executor(), clock_, timers_, random_}, instances_(world_, plugin::Services{}, options()) {
    auto* component = library.component(plugin::Kind::ledger, "sqlite");
    auto opening = [](Bench& self, plugin::Library& its, plugin::Component& part, std::string settings) -> Async<void> {
      auto opened = co_await plugin::open_ledger(self.instances_, {&its, &part}, "local", std::move(settings));
      if (!opened) throw std::runtime_error(opened.error().message);
      self.ledger_ = std::move(*opened);
    };
    run(opening(*this, library, *component, "{\"path\":\"" + folder.string() + "\"}"));
  }
  ~Bench() {
    ledger_.reset();
    auto closing = [](plugin::Instances& instances) -> Async<void> { (void)co_await instances.close(); };
    run(closing(instances_));
  }
  port::Ledger& ledger() { return *ledger_; }
  void run(Async<void> story) {
    begin(std::move(story));
    see_through();
  }

  // Each story takes its agent's runs from entry to end, one after the other.
  Cost runs(int count) {
    for (int i = 0; i < kInFlight; ++i) ledger_->serve("agent" + std::to_string(i), true);
    const bench::Cost meter;
    for (int i = 0; i < kInFlight; ++i) begin(story(i, count / kInFlight));
    see_through();
    return Cost(meter);
  }

  // Claims of one run of a second agent, with `queued` runs of another behind a run in flight.
  double claim_us(int queued) {
    std::vector<double> taken;
    auto measuring = [](Bench& self, int many, std::vector<double>& out) -> Async<void> {
      auto& ledger = *self.ledger_;
      ledger.serve("blocked", true), ledger.serve("free", true);
      port::Entry blocked;
      blocked.agent_id = "blocked";
      blocked.queue_size = 1'000'000;
      std::vector<port::Entry> crowd(static_cast<std::size_t>(many) + 1, blocked);
      (void)co_await ledger.enqueue(std::move(crowd));
      (void)co_await ledger.claim(1);
      for (int i = 0; i < 200; ++i) {
        port::Entry entry;
        entry.agent_id = "free";
        std::vector<port::Entry> one{entry};
        (void)co_await ledger.enqueue(std::move(one));
        const auto begin = std::chrono::steady_clock::now();
        auto claims = co_await ledger.claim(1);
        out.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count());
        port::Transition end;
        end.run = claims->runs.at(0).run;
        end.generation = claims->runs.at(0).generation;
        end.records = {{1, "{}"}};
        end.next = port::RunStatus::completed;
        (void)co_await ledger.commit(std::move(end));
      }
    };
    run(measuring(*this, queued, taken));
    return median(std::move(taken));
  }

 private:
  static plugin::Instances::Options options() { return {}; }
  // The loop itself has always something to do: a ledger looks after its files for as long as it is open.
  void begin(Async<void> story) {
    ++under_way_;
    auto counted = [](int& under_way, Async<void> one) -> Async<void> {
      co_await std::move(one);
      --under_way;
    };
    spawn(io_.get_executor(), counted(under_way_, std::move(story)));
  }
  void see_through() {
    io_.restart();
    while (under_way_ > 0) io_.run_one();
  }
  Async<void> story(int i, int runs) {
    const std::string agent = "agent" + std::to_string(i);
    const std::string payload(kBytes, 'x');
    for (int n = 0; n < runs; ++n) {
      port::Entry entry;
      entry.agent_id = agent;
      entry.key = agent + "@" + std::to_string(n * kInFlight + i);
      entry.nonce = 12345678;
      entry.payload = payload;
      std::vector<port::Entry> one{std::move(entry)};
      (void)co_await ledger_->enqueue(std::move(one));
      auto claims = co_await ledger_->claim(1);
      for (int step = 0; step < kRecords; ++step) {
        port::Transition t;
        t.run = claims->runs.at(0).run;
        t.generation = claims->runs.at(0).generation;
        t.records = {{step + 1, payload}};
        if (step + 1 == kRecords) t.next = port::RunStatus::completed;
        auto committed = co_await ledger_->commit(std::move(t));
        if (!committed) throw std::runtime_error(committed.error().message);
      }
    }
  }
  boost::asio::io_context io_{1};
  SystemClock clock_;
  SystemRandom random_;
  AsioTimers timers_;
  World world_;
  plugin::Instances instances_;
  std::unique_ptr<port::Ledger> ledger_;
  int under_way_ = 0;
};

int main_of(const char* plugin_file, int runs) {
  auto library = plugin::map_file(plugin_file);
  if (!library) return std::cerr << library.error().message << '\n', 1;
  std::vector<double> floor_rate, rate, floor_cpu, cpu, group;
  for (int round = 0; round < kRounds; ++round) {  // alternated, so that a neighbour's noise falls on both
    const auto floor = floor_of(runs);
    const Folder folder;
    Bench bench(**library, folder.path_);
    const auto ours = bench.runs(runs);
    const double rows = runs * (1.0 + kRecords);
    floor_rate.push_back(rows / floor.seconds), rate.push_back(rows / ours.seconds);
    floor_cpu.push_back(floor.cpu_us / runs), cpu.push_back(ours.cpu_us / runs);
    group.push_back(static_cast<double>(bench.ledger().vitals().records) / static_cast<double>(bench.ledger().vitals().groups));
  }
  Line("ledger_records").add("floor", median(floor_rate)).add("records_per_s", median(rate)).add("floor_cpu_us_per_run", median(floor_cpu)).add("cpu_us_per_run", median(cpu))
      .add("rows_per_group", median(group)).add("rounds", kRounds).print();
  const auto claim_behind = [&](int queued) {
    const Folder folder;
    return Bench(**library, folder.path_).claim_us(queued);
  };
  const double few = claim_behind(10), many = claim_behind(100'000);
  Line("ledger_claim").add("behind_10_us", few).add("behind_100000_us", many).print();
  return 0;
}

}  // namespace
}  // namespace agentd

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: bench_ledger SQLITE_PLUGIN [RUNS]\n"), 2;
  return agentd::main_of(argv[1], argc > 2 ? std::atoi(argv[2]) : 12'800);
}
