// What every event store promises. Run over each implementation through its shared object.
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "core/base/ids.hpp"
#include "core/plugin/ports.hpp"
#include "host/conformance/events.hpp"
#include "stores/text/event_id.hpp"
#include "tests/conformance/ground.hpp"
#include "tests/support/servers/cutting_proxy.hpp"

namespace agentd::conformance {
namespace {

using namespace port;
namespace fs = std::filesystem;
using Ids = std::vector<std::string>;

Ids lines_of(const fs::path& file) {
  Ids all;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) all.push_back(line);
  return all;
}
std::string id_of(const std::string& line) { return line.substr(7, line.find('"', 7) - 7); }

Ids ids_in_jsonl(const fs::path& folder) {
  Ids all;
  for (const auto& line : lines_of(folder / "events.jsonl")) all.push_back(id_of(line));
  return all;
}
Ids ids_in_sqlite(const fs::path& folder) {
  sqlite3* db = nullptr;
  sqlite3_open((folder / "events.db").c_str(), &db);
  Ids all;
  const auto add = [](void* to, int, char** row, char**) { return static_cast<Ids*>(to)->push_back(row[0]), 0; };
  sqlite3_exec(db, "SELECT id FROM events", add, &all, nullptr);
  sqlite3_close(db);
  std::ranges::sort(all, stores::is_before);
  return all;
}

Ids ids_in_redis(const std::string& stream, support::Server& server) { return static_cast<support::RedisServer&>(server).field(stream, "id"); }

Ids ids_in_postgres(Ground& ground) {
  auto& postgres = static_cast<PostgresGround&>(ground);
  auto ids = postgres.server()->column("SELECT id FROM " + postgres.schema() + ".events");
  std::ranges::sort(ids, stores::is_before);
  return ids;
}
Ids ids_received(Ground& ground) { return static_cast<WebhookGround&>(ground).receiver().ids(); }

struct EventsKind {
  const char* name;
  const char* file;
  std::unique_ptr<Ground> (*ground)();
  std::optional<Ids> (*kept)(Ground& ground);  // nothing: nobody but the store can look
  PluginWorld::Time time = PluginWorld::Time::stands_still;
};

// Files that are rotated soon, for the tests of that.
class SmallLines final : public FolderGround {
 public:
  std::string settings(int) const override { return R"({"path":")" + (path() / "events.jsonl").string() + R"(","max_bytes":4096,"max_files":3})"; }
};
class Lines final : public FolderGround {
 public:
  std::string settings(int) const override { return R"({"path":")" + (path() / "events.jsonl").string() + "\"}"; }
};

class OpenEvents final : public EventsBench {
 public:
  OpenEvents(const EventsKind& kind, Ground& ground, std::string settings) : kind_(kind), ground_(ground), settings_(std::move(settings)) { open(); }
  OpenEvents(const EventsKind& kind, Ground& ground) : OpenEvents(kind, ground, ground.settings()) {}
  Result<void> append(std::vector<Event> events) override { return plugins_->run(store_->append(std::move(events))); }
  Result<void> reopen() override {
    store_.reset();
    plugins_.reset();
    open();
    return {};
  }
  std::optional<Ids> kept() override { return kind_.kept(ground_); }
  std::string log() const { return plugins_->log(); }

 private:
  void open() {
    auto& library = library_of(kind_.file);
    auto* component = library.component(plugin::Kind::events, kind_.name);
    if (!component) throw std::runtime_error("no such event store");
    plugins_ = std::make_unique<PluginWorld>(kind_.time);
    auto opened = plugins_->run(plugin::open_events(plugins_->instances(), {&library, component}, "copy", settings_));
    if (!opened) throw std::runtime_error(opened.error().message);
    store_ = std::move(*opened);
  }
  const EventsKind& kind_;
  Ground& ground_;
  const std::string settings_;
  std::unique_ptr<PluginWorld> plugins_;
  std::unique_ptr<EventStore> store_;
};

const fs::path& folder_of(Ground& ground) { return static_cast<FolderGround&>(ground).path(); }
const EventsKind kSqlite{"sqlite", AGENTD_SQLITE_PLUGIN, make_ground<FolderGround>, [](Ground& ground) { return std::optional(ids_in_sqlite(folder_of(ground))); }},
    kJsonl{"jsonl", AGENTD_JSONL_PLUGIN, make_ground<Lines>, [](Ground& ground) { return std::optional(ids_in_jsonl(folder_of(ground))); }},
    kRam{"ram", AGENTD_RAM_PLUGIN, make_ground<NoGround>, [](Ground&) { return std::optional<Ids>(); }},
    kRedis{"redis", AGENTD_REDIS_PLUGIN, make_ground<RedisGround>, [](Ground& ground) { return std::optional(ids_in_redis("events", *ground.server())); }},
    kPostgres{"postgres", AGENTD_POSTGRES_PLUGIN, make_ground<PostgresGround>, [](Ground& ground) { return std::optional(ids_in_postgres(ground)); }},
    kWebhook{"webhook", AGENTD_WEBHOOK_PLUGIN, make_ground<WebhookGround>, [](Ground& ground) { return std::optional(ids_received(ground)); }, PluginWorld::Time::is_real},
    kOtlp{"otlp", AGENTD_OTLP_PLUGIN, make_ground<OtlpGround>, [](Ground&) { return std::optional<Ids>(); }, PluginWorld::Time::is_real};  // spans are no events

std::string id(int n) { return event_id(n, 0); }

// ---- what everybody's store is held to

class Events : public testing::TestWithParam<std::tuple<EventsKind, Check<EventsBench>>> {};
INSTANTIATE_TEST_SUITE_P(Events, Events, testing::Combine(testing::Values(kSqlite, kJsonl, kRam, kRedis, kPostgres, kWebhook, kOtlp), testing::ValuesIn(events_checks())), [](const auto& info) {
  return std::string(std::get<0>(info.param).name) + "_" + std::string(std::get<1>(info.param).name);
});

TEST_P(Events, KeepTheirPromises) {
  const auto& [kind, check] = GetParam();
  const auto ground = kind.ground();
  OpenEvents store(kind, *ground);
  try {
    check.hold(store);
  } catch (const Unmet& unmet) {
    FAIL() << check.promise << ": " << unmet.what();
  }
}

// ---- those that outlive the process: whose events they are

class EventsSuite : public testing::TestWithParam<EventsKind> {
 protected:
  std::unique_ptr<OpenEvents> open() { return std::make_unique<OpenEvents>(GetParam(), *ground_); }
  static void append(OpenEvents& store, std::vector<Event> events) {
    const auto done = store.append(std::move(events));
    ASSERT_TRUE(done) << done.error().message;
  }
  void expect_kept(const Ids& wanted) { EXPECT_EQ(*GetParam().kept(*ground_), wanted); }
  const std::unique_ptr<Ground> ground_ = GetParam().ground();
};
const auto name_of = [](const auto& info) { return std::string(info.param.name); };

class Kept : public EventsSuite {
 protected:
  static Event of_another_ledger(int n) {
    auto e = event(n);
    e.timestamp += Millis(60'000);
    return e;
  }
  static std::string refusal(const Result<void>& done) { return done ? "taken" : done.error().message; }
};
INSTANTIATE_TEST_SUITE_P(Events, Kept, testing::Values(kSqlite, kJsonl, kRedis, kPostgres), name_of);

TEST_P(Kept, RefusesTheEventsOfAnotherLedgerAndTakesNoneOfThem) {
  auto store = open();
  append(*store, {event(1), event(2), event(3)});
  store->reopen();
  for (const int n : {1, 2, 3}) {
    const auto why = refusal(store->append({of_another_ledger(n), of_another_ledger(4)}));
    EXPECT_NE(why.find("holds events of another ledger; move it away"), std::string::npos) << why;
    EXPECT_NE(why.find(ground_->place()), std::string::npos) << why;
  }
  expect_kept({id(1), id(2), id(3)});
}

TEST_P(Kept, RefusesALedgerThatWentAnotherWayAfterABackup) {
  auto store = open();
  append(*store, {event(1), event(2), event(3)});
  store->reopen();
  EXPECT_NE(refusal(store->append({event(1), event(2), of_another_ledger(3)})), "taken");
  EXPECT_NE(refusal(store->append({event(2), of_another_ledger(3), of_another_ledger(4)})), "taken");
  expect_kept({id(1), id(2), id(3)});
}

// ---- those in a file

class InAFile : public EventsSuite {};
INSTANTIATE_TEST_SUITE_P(Events, InAFile, testing::Values(kSqlite, kJsonl), name_of);

TEST_P(InAFile, IsForOneStoreAtATime) {
  auto first = open();
  try {
    open();
    FAIL() << "two have it";
  } catch (const std::runtime_error& e) {
    EXPECT_NE(std::string(e.what()).find("is in use by process " + std::to_string(::getpid())), std::string::npos) << e.what();
  }
  first.reset();
  open();
}

// ---- those on a server

class Served : public EventsSuite {
 protected:
  support::Server& server() { return *ground_->server(); }
};
INSTANTIATE_TEST_SUITE_P(Events, Served, testing::Values(kRedis, kPostgres), name_of);

TEST_P(Served, TakesTheSameEventsFromSeveralWritersOnce) {
  constexpr int kEvents = 400;
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 3; ++writer)
    writers.emplace_back([this, batch = writer + 1] {
      const auto store = open();
      for (int n = 1; n <= kEvents; n += batch) {
        std::vector<Event> events;
        for (int i = n; i < n + batch && i <= kEvents; ++i) events.push_back(event(i));
        append(*store, std::move(events));
      }
    });
  for (auto& writer : writers) writer.join();
  Ids all;
  for (int n = 1; n <= kEvents; ++n) all.push_back(id(n));
  expect_kept(all);
}

TEST_P(Served, LosesAndRepeatsNothingWhenTheServerIsKilled) {
  const auto store = open();
  Ids all;
  for (int n = 1; n <= 5; ++n) {
    append(*store, {event(n)});
    all.push_back(id(n));
    server().kill();
    server().start();
  }
  append(*store, {event(4), event(5), event(6)});
  all.push_back(id(6));
  expect_kept(all);
}

TEST_P(Served, SaysSoWhenTheServerIsAwayAndGoesOnWhenItIsBack) {
  const auto store = open();
  append(*store, {event(1)});
  server().kill();
  for (int i = 0; i < 2; ++i) {
    const auto done = store->append({event(2)});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().error_class, ErrorClass::retryable);
    EXPECT_NE(done.error().message.find(ground_->place()), std::string::npos) << done.error().message;
    EXPECT_EQ((done.error().message + store->log()).find(RedisGround::kPassword), std::string::npos) << done.error().message << store->log();
  }
  server().start();
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!store->append({event(2)}) && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  expect_kept({id(1), id(2)});
}

TEST_P(Served, AppendsOnceWhereverTheConnectionIsCut) {
  support::CuttingProxy proxy(server().port());
  OpenEvents store(GetParam(), *ground_, ground_->settings(proxy.port()));
  int last = 0;
  Ids all;
  const auto two = [&] {
    append(store, {event(last + 1), event(last + 2)});
    for (int i = 0; i < 2; ++i) all.push_back(id(++last));
  };
  for (const auto way : {support::CuttingProxy::Way::up, support::CuttingProxy::Way::down}) {
    two();
    proxy.take_count();
    two();
    const auto bytes = proxy.take_count()[static_cast<std::size_t>(way)];
    ASSERT_GE(bytes, 4u);
    for (std::uint64_t n = 0; n < bytes; n += 1 + bytes / ground_->cuts()) {
      proxy.cut(way, n);
      two();
      ASSERT_TRUE(proxy.has_cut()) << n;
      if (HasFailure()) FAIL() << "cut " << (way == support::CuttingProxy::Way::up ? "up" : "down") << " behind byte " << n << " of " << bytes;
    }
  }
  expect_kept(all);
}

// ---- jsonl alone

class Jsonl : public testing::Test {
 protected:
  fs::path file() const { return lines_.path() / "events.jsonl"; }
  void write(const std::string& text) { std::ofstream(file(), std::ios::app) << text; }
  static std::string text_of(const fs::path& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static std::string lines_of_one_event() {
    SmallLines lines;
    OpenEvents(kJsonl, lines).append({event(1)});
    return text_of(lines.path() / "events.jsonl");
  }
  SmallLines lines_;
};

TEST_F(Jsonl, WritesWhatPeopleAreTold) {
  OpenEvents(kJsonl, lines_).append({event(1, "{\n \"step\": 1\n}")});
  EXPECT_EQ(lines_of(file()), Ids{R"({"id":"0000000000000001-0","type":"model_call_started","agent_id":"a","agent_name":"a","run_id":null,"session_id":null,)"
                                  R"("timestamp":"2023-11-14T22:13:20.123Z","payload":{  "step": 1 }})"});
}

TEST_F(Jsonl, CutsOffALineThatWasNotWrittenToItsEnd) {
  for (const std::string torn : {"{\"id\":\"00000000", "{\"id\":\"0000000000000009-0\"}", "{", "x"}) {
    SmallLines lines;
    OpenEvents(kJsonl, lines).append({event(1)});
    std::ofstream(lines.path() / "events.jsonl", std::ios::app) << torn;
    OpenEvents(kJsonl, lines).append({event(1), event(2)});
    EXPECT_EQ(ids_in_jsonl(lines.path()), (Ids{id(1), id(2)})) << torn;
  }
}

TEST_F(Jsonl, LeavesAFileOfSomebodyElseAsItIs) {
  const std::string ours = lines_of_one_event();
  for (const std::string& text : {std::string("precious line\n"), std::string("precious line"), std::string("{\"id\":\"a\"}\n"), std::string("{\"id\": 1}"),
                                 std::string("{\"id\":\"precious"), std::string("\n"), std::string("{}\n"), ours + "precious line\n", ours + "precious line\nand more"}) {
    for (const char* name : {"events.jsonl", "events.jsonl.1", "events.jsonl.2"}) {
      SmallLines lines;
      std::ofstream(lines.path() / name) << text;
      try {
        OpenEvents(kJsonl, lines).append({event(1)});
        ADD_FAILURE() << name << " was taken: " << text;
      } catch (const std::runtime_error& e) {
        EXPECT_NE(std::string(e.what()).find((lines.path() / name).string() + ": it does not end with a line of events"), std::string::npos) << e.what();
      }
      EXPECT_EQ(text_of(lines.path() / name), text);
    }
  }
}

TEST_F(Jsonl, LooksForWhatComesAgainInFilesSetAside) {
  const auto big = "{\"x\":\"" + std::string(3000, 'x') + "\"}";
  {
    OpenEvents store(kJsonl, lines_);
    for (int n = 1; n <= 5; ++n) store.append({event(n, big)});  // 1 and 2 are deleted by then
  }
  auto late = event(4);
  late.timestamp += Millis(1);
  EXPECT_FALSE(OpenEvents(kJsonl, lines_).append({event(3), late}));
  EXPECT_TRUE(OpenEvents(kJsonl, lines_).append({event(1), event(3), event(4), event(5), event(6)}));
  late.id = id(1);  // it was deleted, but nothing so old can be younger than the last
  EXPECT_FALSE(OpenEvents(kJsonl, lines_).append({late}));
}

TEST_F(Jsonl, BeginsAnewWhenItsFileIsGone) {
  OpenEvents store(kJsonl, lines_);
  store.append({event(1)});
  fs::remove(file());
  store.append({event(2)});
  EXPECT_EQ(ids_in_jsonl(lines_.path()), Ids{id(2)});
  fs::rename(file(), lines_.path() / "elsewhere");
  store.append({event(3)});
  EXPECT_EQ(ids_in_jsonl(lines_.path()), Ids{id(3)});
  fs::resize_file(file(), 0);
  store.append({event(4)});
  EXPECT_EQ(ids_in_jsonl(lines_.path()), Ids{id(4)});
  fs::remove(file());
  std::ofstream(file()) << "precious line\n";
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(store.append({event(5)}));
  EXPECT_EQ(text_of(file()), "precious line\n");
}

TEST_F(Jsonl, AFileOfOneTornLineBeginsAnew) {
  write("{\"id\":");
  OpenEvents(kJsonl, lines_).append({event(1)});
  EXPECT_EQ(ids_in_jsonl(lines_.path()), Ids{id(1)});
}

TEST_F(Jsonl, SetsFilesAsideAndDeletesTheOldest) {
  OpenEvents store(kJsonl, lines_);
  const auto big = "{\"x\":\"" + std::string(3000, 'x') + "\"}";
  for (int n = 1; n <= 5; ++n) store.append({event(n, big)});
  EXPECT_EQ(ids_in_jsonl(lines_.path()), Ids{id(5)});
  EXPECT_EQ(id_of(lines_of(file().string() + ".1").at(0)), id(4));
  EXPECT_EQ(id_of(lines_of(file().string() + ".2").at(0)), id(3));
  EXPECT_FALSE(fs::exists(file().string() + ".3"));
}

TEST_F(Jsonl, RemembersTheLastIdAcrossARotation) {
  OpenEvents(kJsonl, lines_).append({event(1), event(2)});
  fs::rename(file(), file().string() + ".1");  // the process died between setting aside and writing
  OpenEvents(kJsonl, lines_).append({event(2), event(3)});
  EXPECT_EQ(ids_in_jsonl(lines_.path()), Ids{id(3)});
}

TEST_F(Jsonl, AFullDiskIsToldAndRetried) {
  fs::create_symlink("/dev/full", file());
  // It cannot be cut back either: what matters here is that nothing claims to be kept.
  OpenEvents store(kJsonl, lines_);
  EXPECT_FALSE(store.append({event(1)}));
}

}  // namespace
}  // namespace agentd::conformance
