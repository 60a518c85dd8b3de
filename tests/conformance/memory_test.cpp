// What every memory store promises. Run over each implementation through its shared object.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <random>
#include <set>

#include "core/plugin/ports.hpp"
#include "host/conformance/memory.hpp"
#include "tests/conformance/ground.hpp"
#include "tests/conformance/vector_grounds.hpp"
#include "tests/support/servers/cutting_proxy.hpp"

namespace agentd::conformance {
namespace {

using namespace port;
using support::CuttingProxy;
using Ids = std::vector<std::string>;
using Entries = Result<std::vector<MemoryEntry>>;

struct MemoryKind {
  const char* name;
  const char* file;
  std::unique_ptr<Ground> (*ground)();
  bool is_on_http = false;  // asks through the host's client; what it asks may be repeated whatever it is, so that it always knows what it removed
  const char* component = name;
};
const MemoryKind kSqlite{"sqlite", AGENTD_SQLITE_PLUGIN, make_ground<FolderGround>}, kRam{"ram", AGENTD_RAM_PLUGIN, make_ground<NoGround>},
    kRedis{"redis", AGENTD_REDIS_PLUGIN, make_ground<RedisGround>}, kPostgres{"postgres", AGENTD_POSTGRES_PLUGIN, make_ground<PostgresGround>},
    kPgvector{"pgvector", AGENTD_POSTGRES_PLUGIN, make_ground<PgvectorGround>, false, "postgres"},
    kQdrant{"qdrant", AGENTD_QDRANT_PLUGIN, make_ground<QdrantGround>, true}, kChroma{"chroma", AGENTD_CHROMA_PLUGIN, make_ground<ChromaGround>, true};

class OpenMemory final : public MemoryBench {
 public:
  OpenMemory(const MemoryKind& kind, std::string settings) : plugins_(kind.is_on_http ? PluginWorld::Time::is_real : PluginWorld::Time::stands_still) {
    auto& library = library_of(kind.file);
    auto* component = library.component(plugin::Kind::memory, kind.component);
    if (!component) throw std::runtime_error("no such memory store");
    auto opened = run(plugin::open_memory(plugins_.instances(), {&library, component}, "local", std::move(settings)));
    if (!opened) throw std::runtime_error(opened.error().message);
    store_ = std::move(*opened);
  }
  Result<void> put(std::vector<MemoryEntry> entries) override { return run(store_->put(std::move(entries), std::chrono::seconds(30))); }
  Entries list(MemoryQuery query) override { return run(store_->list(std::move(query))); }
  Entries search(MemoryQuery query) override { return run(store_->search(std::move(query))); }
  Result<std::uint64_t> remove(MemoryQuery query) override { return run(store_->remove(std::move(query))); }
  std::string log() const { return plugins_.log(); }

 private:
  template <class T>
  T run(Async<T> story) {
    return plugins_.run(std::move(story));
  }
  PluginWorld plugins_;
  std::unique_ptr<MemoryStore> store_;
};

MemoryEntry entry(const std::string& id, const std::string& text) {
  MemoryEntry e;
  e.agent_id = "a";
  e.session_id = "s";
  e.id = id;
  e.text = text;
  e.json = "{}";
  return e;
}
MemoryQuery all(std::string text = {}) {
  MemoryQuery q;
  q.agent_id = "a";
  q.text = std::move(text);
  q.limit = 10'000;
  return q;
}
Ids ids(const Entries& entries) {
  if (!entries) return {"failed: " + entries.error().message};
  Ids found;
  for (const auto& e : *entries) found.push_back(e.id);
  return found;
}

// ---- what everybody's store is held to

class Memories : public testing::TestWithParam<std::tuple<MemoryKind, Check<MemoryBench>>> {};
INSTANTIATE_TEST_SUITE_P(Memory, Memories, testing::Combine(testing::Values(kSqlite, kRam, kRedis, kPostgres, kPgvector, kQdrant, kChroma), testing::ValuesIn(memory_checks())), [](const auto& info) {
  return std::string(std::get<0>(info.param).name) + "_" + std::string(std::get<1>(info.param).name);
});

void expect_kept(const MemoryKind& kind, const Check<MemoryBench>& check) {
  const auto ground = kind.ground();
  OpenMemory store(kind, ground->settings());
  try {
    check.hold(store);
  } catch (const Unmet& unmet) {
    FAIL() << check.promise << ": " << unmet.what();
  }
}

TEST_P(Memories, KeepTheirPromises) { expect_kept(std::get<0>(GetParam()), std::get<1>(GetParam())); }

class VectorMemories : public Memories {};
INSTANTIATE_TEST_SUITE_P(Memory, VectorMemories, testing::Combine(testing::Values(kSqlite, kRam, kPostgres, kPgvector, kQdrant, kChroma), testing::ValuesIn(vector_checks())), [](const auto& info) {
  return std::string(std::get<0>(info.param).name) + "_" + std::string(std::get<1>(info.param).name);
});

TEST_P(VectorMemories, KeepTheirPromises) { expect_kept(std::get<0>(GetParam()), std::get<1>(GetParam())); }

// ---- those that outlive the process

class MemorySuite : public testing::TestWithParam<MemoryKind> {
 protected:
  std::unique_ptr<OpenMemory> open() { return std::make_unique<OpenMemory>(GetParam(), ground_->settings()); }
  const std::unique_ptr<Ground> ground_ = GetParam().ground();
};
const auto name_of = [](const auto& info) { return std::string(info.param.name); };

class LastingMemory : public MemorySuite {};
INSTANTIATE_TEST_SUITE_P(Memory, LastingMemory, testing::Values(kSqlite, kRedis, kPostgres, kPgvector, kQdrant, kChroma), name_of);

TEST_P(LastingMemory, RemembersAfterARestart) {
  auto store = open();
  ASSERT_TRUE(store->put({entry("1", "apples")}));
  const auto place = store->list(all())->at(0).position;
  store = open();
  EXPECT_EQ(ids(store->search(all("apples"))), Ids{"1"});
  ASSERT_TRUE(store->put({entry("2", "pears")}));
  EXPECT_GT(store->list(all())->at(0).position, place);
}

TEST_P(LastingMemory, TakesSeveralWritersAtOnce) {
  constexpr int kWriters = 4, kPuts = 50;
  open();  // so that no two make the tables
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer)
    writers.emplace_back([this, writer] {
      const auto store = open();
      for (int i = 0; i < kPuts; ++i) {
        const auto name = std::to_string(writer) + "/" + std::to_string(i);
        const auto done = store->put({entry(name + "/0", "asked"), entry(name + "/1", "answered")});
        ASSERT_TRUE(done) << done.error().message;
      }
    });
  for (auto& writer : writers) writer.join();
  const auto listed = open()->list(all());
  ASSERT_TRUE(listed) << listed.error().message;
  std::set<std::uint64_t> positions;
  for (const auto& e : *listed) positions.insert(e.position);
  EXPECT_EQ(listed->size(), 2u * kWriters * kPuts);
  EXPECT_EQ(positions.size(), listed->size());
  for (std::size_t i = 0; i + 1 < listed->size(); i += 2) {
    const auto& asked = (*listed)[i + 1].id;
    EXPECT_EQ((*listed)[i].id, asked.substr(0, asked.size() - 1) + "1") << "what was put together stands together";
  }
}

// ---- a file of before there were vectors

MemoryEntry placed(const std::string& id, std::vector<float> vector) {
  auto e = entry(id, "apples");
  e.vector = std::move(vector);
  e.space = "small";
  return e;
}
double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  const auto product = [](const auto& x, const auto& y) { return std::inner_product(x.begin(), x.end(), y.begin(), 0.0); };
  return product(a, b) / std::sqrt(product(a, a) * product(b, b));
}
MemoryQuery near(std::vector<float> vector) {
  auto q = all();
  q.vector = std::move(vector);
  q.space = "small";
  return q;
}

TEST(SqliteMemory, TakesAFileOfBeforeThereWereVectors) {
  FolderGround ground;
  const auto change = [&](const char* sql) {
    sqlite3* db = nullptr;
    sqlite3_open((ground.path() / "memory.db").c_str(), &db);
    char* error = nullptr;
    EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, &error), SQLITE_OK) << error;
    sqlite3_close(db);
  };
  const auto open = [&] { return std::make_unique<OpenMemory>(kSqlite, static_cast<const Ground&>(ground).settings()); };
  ASSERT_TRUE(open()->put({entry("1", "apples"), entry("2", "pears")}));
  change(
      "CREATE VIRTUAL TABLE words USING fts5(agent, text, tokenize='unicode61 remove_diacritics 2');"
      "INSERT INTO words(rowid,agent,text) SELECT rowid,rtrim(agent,'x'),text FROM stems; DROP TABLE stems;"
      "DROP TABLE vectors; DROP TABLE spaces; PRAGMA user_version=1");
  auto store = open();
  EXPECT_EQ(ids(store->list(all())), (Ids{"2", "1"}));
  EXPECT_EQ(ids(store->search(all("apple"))), Ids{"1"});
  EXPECT_EQ(ids(store->search(near({1, 0}))), Ids{});
  ASSERT_TRUE(store->put({placed("3", {1, 1}), placed("1", {1, 0})}));
  store = open();
  EXPECT_EQ(ids(store->search(near({1, 0}))), (Ids{"1", "3"}));
  EXPECT_EQ(ids(store->list(all())), (Ids{"3", "2", "1"}));
  change("PRAGMA user_version=4");
  try {
    open();
    FAIL() << "a file of a newer version was taken";
  } catch (const std::runtime_error& e) {
    EXPECT_NE(std::string(e.what()).find("was written by a newer agentd (version 4)"), std::string::npos) << e.what();
  }
}

class LastingVectors : public MemorySuite {};
INSTANTIATE_TEST_SUITE_P(Memory, LastingVectors, testing::Values(kSqlite, kPostgres, kPgvector), name_of);

TEST_P(LastingVectors, AreFoundAfterARestart) {
  auto store = open();
  ASSERT_TRUE(store->put({placed("1", {1, 0}), placed("2", {0, 1})}));
  store = open();
  EXPECT_EQ(ids(store->search(near({0, 1}))), (Ids{"2", "1"}));
  const auto refused = store->put({placed("3", {1, 0, 0})});
  ASSERT_FALSE(refused) << "what a space has is known after a restart";
}

// ---- PostgreSQL, with the extension pgvector and without

std::size_t told(const OpenMemory& store, const std::string& what) {
  std::size_t times = 0;
  const auto log = store.log();
  for (auto at = log.find(what); at != std::string::npos; at = log.find(what, at + 1)) ++times;
  return times;
}
constexpr const char* kComparedHere = "compares vectors one by one, without an index";

TEST(PostgresMemory, SaysOnceThatTheServerDoesNotOfferTheExtension) {
  PostgresGround ground;
  OpenMemory store(kPostgres, static_cast<const Ground&>(ground).settings());
  ASSERT_TRUE(store.put({placed("1", {1, 0}), placed("2", {1, 1})}));
  EXPECT_EQ(ids(store.search(near({1, 0}))), (Ids{"1", "2"}));
  EXPECT_EQ(told(store, kComparedHere), 1u) << store.log();
  EXPECT_EQ(told(store, "the server does not offer the extension \"vector\""), 1u) << store.log();
}

class PgvectorMemory : public testing::Test {
 protected:
  static constexpr const char* kType = "SELECT format_type(atttypid,atttypmod) FROM pg_attribute WHERE attrelid='memory_vectors'::regclass AND attname='vector'";
  std::unique_ptr<OpenMemory> open() { return std::make_unique<OpenMemory>(kPgvector, static_cast<const Ground&>(ground_).settings()); }
  std::vector<std::string> ask(const std::string& sql) { return ground_.ask(sql); }
  template <class F>
  static bool soon(F is_so) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!is_so()) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return true;
  }
  PgvectorGround ground_;
};

TEST_F(PgvectorMemory, ARoleThatMayNotMakeTheExtensionComparesUntilSomebodyElseDoes) {
  const auto& server = *static_cast<support::PostgresServer*>(ground_.server());
  server.column("CREATE ROLE plain LOGIN");
  server.column("CREATE DATABASE of_plain OWNER plain");
  const auto open = [&] { return std::make_unique<OpenMemory>(kPgvector, ground_.settings(server.port(), "plain", "of_plain")); };
  const auto first = open();
  EXPECT_EQ(told(*first, kComparedHere), 1u) << first->log();
  EXPECT_EQ(told(*first, "CREATE EXTENSION failed: ERROR:  permission denied"), 1u) << first->log();
  ASSERT_TRUE(first->put({placed("1", {1, 0}), placed("2", {0, 1})}));
  EXPECT_EQ(ids(first->search(near({1, 0}))), (Ids{"1", "2"}));
  support::PostgresServer::column_of(server.url("of_plain"), "CREATE EXTENSION vector");
  const auto second = open();
  EXPECT_EQ(told(*second, kComparedHere), 0u) << second->log();
  EXPECT_EQ(ids(second->search(near({1, 0}))), (Ids{"1", "2"}));
  for (const auto* store : {&first, &second}) {  // the first knows nothing of it yet
    ASSERT_TRUE((*store)->put({placed("3", {1, 0.1F}), placed("1", {1, 0})}));
    EXPECT_EQ(ids((*store)->search(near({1, 0}))), (Ids{"1", "3", "2"}));
    EXPECT_FALSE((*store)->put({placed("4", {1, 0, 0})}));
  }
}

TEST_F(PgvectorMemory, TakesTablesOfBeforeThereWereSets) {
  ASSERT_TRUE(open()->put({placed("1", {1, 0}), entry("2", "pears"), placed("3", {1, 1})}));
  EXPECT_EQ(ask(kType), Ids{"vector"});
  ask("ALTER TABLE memory_vectors ADD COLUMN space bytea; UPDATE memory_vectors v SET space=s.space FROM vector_sets s WHERE s.id=v.set_id;"
      "ALTER TABLE memory_vectors ALTER COLUMN vector TYPE real[] USING vector::real[], ALTER COLUMN space SET NOT NULL, DROP COLUMN set_id; DROP TABLE vector_sets;"
      "CREATE INDEX memory_vectors_by_space ON memory_vectors(space); UPDATE schema_versions SET version=2 WHERE component='memory'");
  auto store = open();
  EXPECT_EQ(ask(kType), Ids{"vector"});
  EXPECT_EQ(ids(store->search(near({1, 0}))), (Ids{"1", "3"}));
  ASSERT_TRUE(store->put({placed("2", {1, 0.1F})}));
  EXPECT_EQ(ids(store->search(near({1, 0}))), (Ids{"1", "2", "3"}));
  EXPECT_FALSE(store->put({placed("4", {1, 0, 0})}));
}

// 10,100 of one agent, which are 99% of the table, and 100 of another.
TEST_F(PgvectorMemory, ManyAreFoundThroughAnIndexOfTheirOwn) {
  constexpr std::size_t kMany = 10'100, kFew = 100, kDimensions = 8, kQueries = 20, kLimit = 10;
  std::mt19937 chance(7);
  std::normal_distribution<float> number;
  const auto any = [&] {
    std::vector<float> vector(kDimensions);
    for (auto& one : vector) one = number(chance);
    return vector;
  };
  const auto store = open();
  std::map<std::string, std::vector<std::pair<std::string, std::vector<float>>>> kept;
  const auto put = [&](const std::string& agent, std::size_t count) {
    for (std::size_t i = 0; i < count;) {
      std::vector<MemoryEntry> some;
      for (; some.size() < 1000 && i < count; ++i) {
        some.push_back(placed(std::to_string(i), any()));
        some.back().agent_id = agent, some.back().session_id = i % 100 == 0 ? "rare" : "s";
        kept[agent].emplace_back(some.back().id, some.back().vector);
      }
      ASSERT_TRUE(store->put(std::move(some)));
    }
  };
  put("a", kMany), put("b", kFew);
  const auto of = [](const std::string& agent, std::vector<float> vector) {
    auto q = near(std::move(vector));
    q.agent_id = agent, q.limit = kLimit;
    return q;
  };
  // The share of the nearest that are found, of all searches.
  const auto found_of = [&](const std::string& agent) {
    std::size_t found = 0;
    for (std::size_t i = 0; i < kQueries; ++i) {
      const auto wanted = any();
      std::vector<std::pair<double, std::string>> all;
      for (const auto& [id, vector] : kept[agent]) all.emplace_back(-cosine(wanted, vector), id);
      std::ranges::sort(all);
      const auto got = ids(store->search(of(agent, wanted)));
      EXPECT_EQ(got.size(), kLimit);
      for (std::size_t n = 0; n < kLimit; ++n) found += static_cast<std::size_t>(std::ranges::count(got, all[n].second));
    }
    return static_cast<double>(found) / (kQueries * kLimit);
  };
  const auto ready = [&] { return ask("SELECT i.indexrelid FROM pg_index i JOIN pg_class c ON c.oid=i.indexrelid WHERE i.indisvalid AND c.relnamespace=current_schema()::regnamespace AND c.relname LIKE 'memory\\_vectors\\__\\_8'"); };
  const auto searches = [&] { return ask("SELECT coalesce(sum(idx_scan),0) FROM pg_stat_user_indexes WHERE schemaname=current_schema() AND indexrelname LIKE 'memory\\_vectors\\__\\_8'").at(0); };

  EXPECT_EQ(found_of("a"), 1.0) << "compared";
  ASSERT_TRUE(soon([&] { return ready().size() == 1; })) << store->log();
  EXPECT_GE(found_of("a"), 0.98) << "through the index";
  EXPECT_TRUE(soon([&] { return searches() != "0"; }));
  EXPECT_EQ(told(*store, "the vectors of agent \"a\" have an index"), 1u) << store->log();
  EXPECT_EQ(found_of("b"), 1.0) << "few among many of others";
  EXPECT_EQ(ready().size(), 1u) << "which need none";

  // What the table says counts.
  const auto wanted = any();
  const auto before = ids(store->search(of("a", wanted)));
  auto q = all();
  q.id = before[0];
  ASSERT_TRUE(store->remove(q));
  ASSERT_TRUE(store->put({placed(before[1], {-1, 0, 0, 0, 0, 0, 0, 0}), placed("new", wanted)}));
  const auto after = ids(store->search(of("a", wanted)));
  EXPECT_EQ(after[0], "new");
  EXPECT_EQ(Ids(after.begin() + 1, after.begin() + 5), Ids(before.begin() + 2, before.begin() + 6));
  q = of("a", wanted);
  q.session_id = "rare";
  EXPECT_EQ(ids(store->search(q)).size(), kLimit);
  q = of("a", wanted);
  q.limit = 500;
  EXPECT_EQ(ids(store->search(q)).size(), 500u) << "more than an index is asked for";

  // One that whoever made it left unfinished is made anew.
  const auto first = ready();
  ask("UPDATE pg_index SET indisvalid=false WHERE indexrelid=" + first.at(0));
  EXPECT_EQ(ids(store->search(of("a", wanted))), after) << "compared again";
  ASSERT_TRUE(soon([&] { return store->search(of("a", wanted)).has_value() && ready().size() == 1; })) << store->log();
  EXPECT_NE(ready(), first);

  // A space that was emptied may come to have other dimensions.
  ASSERT_TRUE(store->remove(all()));
  q = all();
  q.agent_id = "b";
  ASSERT_TRUE(store->remove(q));
  const auto other = store->put({placed("1", {1, 0}), placed("2", {1, 1})});
  ASSERT_TRUE(other) << other.error().message;
  EXPECT_EQ(ids(store->search(near({1, 0}))), (Ids{"1", "2"}));
}

// ---- those on a server

class ServedMemory : public MemorySuite {
 protected:
  void SetUp() override {
    if (!ground_->server()) GTEST_SKIP() << "the server is somebody else's";
  }
  support::Server& server() { return *ground_->server(); }
  std::unique_ptr<OpenMemory> open_through(const CuttingProxy& proxy) { return std::make_unique<OpenMemory>(GetParam(), ground_->settings(proxy.port())); }
  // What people are told while it is away.
  template <class T>
  void expect_away(const Result<T>& result, const std::string& place) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().error_class, ErrorClass::retryable) << result.error().message;
    EXPECT_NE(result.error().message.find(place), std::string::npos) << result.error().message;
    EXPECT_EQ(result.error().message.find(RedisGround::kPassword), std::string::npos) << result.error().message;
  }
  // Does `ask` with the connection cut behind each byte that it takes, in either direction, or behind as many of them as the ground allows.
  template <class Ask>
  void cut_anywhere(Ask ask) {
    CuttingProxy proxy(server().port());
    const auto store = open_through(proxy);
    for (const auto way : {CuttingProxy::Way::up, CuttingProxy::Way::down}) {
      ask(*store, -1);
      proxy.take_count();
      ask(*store, -2);
      const auto bytes = proxy.take_count()[static_cast<std::size_t>(way)];
      ASSERT_GE(bytes, 4u);
      for (std::uint64_t n = 0; n < bytes; n += 1 + bytes / ground_->cuts()) {
        proxy.cut(way, n);
        ask(*store, static_cast<int>(n));
        ASSERT_TRUE(proxy.has_cut()) << n;
        if (HasFailure()) FAIL() << "cut " << (way == CuttingProxy::Way::up ? "up" : "down") << " behind byte " << n << " of " << bytes;
      }
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Memory, ServedMemory, testing::Values(kRedis, kPostgres, kPgvector, kQdrant, kChroma), name_of);

TEST_P(ServedMemory, LosesNothingWhenTheServerIsKilled) {
  const auto store = open();
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(store->put({entry(std::to_string(round), "apples")}));
    server().kill();
    server().start();
    ASSERT_EQ(ids(store->list(all())).size(), static_cast<std::size_t>(round) + 1);
    EXPECT_EQ(ids(store->list(all())).front(), std::to_string(round));
    EXPECT_EQ(ids(store->search(all("apples"))).size(), static_cast<std::size_t>(round) + 1);
  }
}

TEST_P(ServedMemory, SaysSoWhenTheServerIsAwayAndGoesOnWhenItIsBack) {
  const auto store = open();
  server().kill();
  expect_away(store->put({entry("1", "apples")}), ground_->place());
  expect_away(store->list(all()), ground_->place());
  expect_away(store->search(all("apples")), ground_->place());
  expect_away(store->remove(all()), ground_->place());
  server().start();
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!store->put({entry("1", "apples")}) && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(ids(store->list(all())), Ids{"1"});
  EXPECT_EQ(store->log().find(RedisGround::kPassword), std::string::npos) << store->log();
  EXPECT_NE(store->log().find(ground_->place()), std::string::npos) << store->log();
}

TEST_P(ServedMemory, WaitsForAServerThatIsRestarted) {
  const auto store = open();
  server().kill();
  Result<void> done;
  std::thread putting([&] { done = store->put({entry("1", "apples")}); });
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  server().start();
  putting.join();
  EXPECT_TRUE(done) << done.error().message;
}

TEST_P(ServedMemory, OpensBeforeItsServer) {
  server().kill();
  const auto store = open();
  EXPECT_NE(store->log().find(ground_->place()), std::string::npos) << store->log();
  server().start();
  const auto done = store->put({entry("1", "apples")});
  EXPECT_TRUE(done) << done.error().message;
}

TEST_P(ServedMemory, GivesUpOnAServerThatNoLongerAnswers) {
  CuttingProxy proxy(server().port());
  const auto store = open_through(proxy);
  proxy.stall(true);
  const auto begin = std::chrono::steady_clock::now();
  const auto place = "127.0.0.1:" + std::to_string(proxy.port());
  expect_away(store->put({entry("1", "apples")}), place);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  proxy.stall(false);
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!store->list(all()) && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  ASSERT_TRUE(store->put({entry("1", "pears")}));
  EXPECT_EQ(ids(store->search(all("pears"))), Ids{"1"});
}

TEST_P(ServedMemory, PutsOnceWhereverTheConnectionIsCut) {
  const auto witness = open();
  cut_anywhere([&](OpenMemory& store, int n) {
    const auto word = "word" + std::to_string(n + 2);
    const auto done = store.put({entry("1", word), entry("2", word)});
    ASSERT_TRUE(done) << done.error().message;
    ASSERT_EQ(ids(witness->search(all(word))), (Ids{"2", "1"}));
    ASSERT_EQ(ids(witness->list(all())), (Ids{"2", "1"}));
  });
}

TEST_P(ServedMemory, ReadsWhereverTheConnectionIsCut) {
  ASSERT_TRUE(open()->put({entry("1", "apples"), entry("2", "pears")}));
  cut_anywhere([&](OpenMemory& store, int) { ASSERT_EQ(ids(store.list(all())), (Ids{"2", "1"})); });
  cut_anywhere([&](OpenMemory& store, int) { ASSERT_EQ(ids(store.search(all("apples"))), Ids{"1"}); });
}

TEST_P(ServedMemory, SaysWhenItIsNotKnownWhetherItRemoved) {
  const auto witness = open();
  int unknown = 0;
  cut_anywhere([&](OpenMemory& store, int) {
    ASSERT_TRUE(witness->put({entry("1", "apples")}));
    const auto removed = store.remove(all());
    if (removed) ASSERT_EQ(*removed, 1u);
    else ASSERT_EQ(removed.error().error_class, ErrorClass::unknown_outcome) << removed.error().message;
    unknown += !removed;
    const auto again = witness->remove(all());
    ASSERT_TRUE(again);
    ASSERT_EQ(ids(witness->list(all())), Ids{});
  });
  if (GetParam().is_on_http) EXPECT_EQ(unknown, 0);
  else EXPECT_GT(unknown, 0);
}

}  // namespace
}  // namespace agentd::conformance
