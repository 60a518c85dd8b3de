// What every memory store promises. Run over each implementation through its shared object.
#include <gtest/gtest.h>

#include "core/plugin/ports.hpp"
#include "tests/conformance/plugin_world.hpp"

namespace agentd::conformance {
namespace {

using namespace port;

struct MemoryKind {
  const char* name;
  const char* file;
  std::string (*settings)(const std::filesystem::path& folder);
};
std::string in_folder(const std::filesystem::path& folder) { return R"({"path":")" + folder.string() + "\"}"; }
std::string nothing(const std::filesystem::path&) { return "{}"; }

class MemorySuite : public testing::TestWithParam<MemoryKind> {
 protected:
  MemorySuite() { open(); }
  void open() {
    store_.reset();
    plugins_ = std::make_unique<PluginWorld>();
    auto& library = library_of(GetParam().file);
    auto* component = library.component(plugin::Kind::memory, GetParam().name);
    if (!component) throw std::runtime_error("no such memory store");
    auto opened = run(plugin::open_memory(plugins_->instances(), {&library, component}, "local", GetParam().settings(folder_.path())));
    if (!opened) throw std::runtime_error(opened.error().message);
    store_ = std::move(*opened);
  }
  template <class T>
  T run(Async<T> story) {
    return plugins_->world().run(std::move(story));
  }
  static MemoryEntry entry(std::string id, std::string text, std::string agent = "a", std::string session = "s", MemoryType type = MemoryType::episodic) {
    MemoryEntry e;
    e.type = type;
    e.agent_id = std::move(agent);
    e.session_id = std::move(session);
    e.id = std::move(id);
    e.text = std::move(text);
    e.json = "{\"role\":\"user\"}";
    e.created = Instant(Millis(1'700'000'000'123));
    return e;
  }
  void put(MemoryEntry e) { put_all({std::move(e)}); }
  void put_all(std::vector<MemoryEntry> entries) {
    const auto done = run(store_->put(std::move(entries), std::chrono::seconds(30)));
    if (!done) throw std::runtime_error(done.error().message);
  }
  static MemoryQuery of(std::string agent = "a") {
    MemoryQuery q;
    q.agent_id = std::move(agent);
    return q;
  }
  std::vector<MemoryEntry> list(MemoryQuery q) { return run(store_->list(std::move(q))).value(); }
  std::vector<std::string> listed(MemoryQuery q) { return ids(list(std::move(q))); }
  std::vector<std::string> found(std::string words, MemoryQuery q = of()) {
    q.text = std::move(words);
    const auto result = run(store_->search(std::move(q)));
    if (!result) throw std::runtime_error(result.error().message);
    return ids(*result);
  }
  std::uint64_t remove(MemoryQuery q) { return run(store_->remove(std::move(q))).value(); }
  static std::vector<std::string> ids(const std::vector<MemoryEntry>& entries) {
    std::vector<std::string> all;
    for (const auto& e : entries) all.push_back(e.id);
    return all;
  }
  using Ids = std::vector<std::string>;

  Folder folder_;
  std::unique_ptr<PluginWorld> plugins_;
  std::unique_ptr<MemoryStore> store_;
};
const MemoryKind kSqlite{"sqlite", AGENTD_SQLITE_PLUGIN, in_folder}, kRam{"ram", AGENTD_RAM_PLUGIN, nothing};
const auto name_of = [](const auto& info) { return std::string(info.param.name); };
INSTANTIATE_TEST_SUITE_P(Memories, MemorySuite, testing::Values(kSqlite, kRam), name_of);

// What stores promise that keep memories on a disk.
class DurableMemorySuite : public MemorySuite {};
INSTANTIATE_TEST_SUITE_P(Memories, DurableMemorySuite, testing::Values(kSqlite), name_of);

TEST_P(MemorySuite, ListsNewestFirst) {
  put_all({entry("1", "one"), entry("2", "two")});
  put(entry("3", "three"));
  EXPECT_EQ(listed(of()), (Ids{"3", "2", "1"}));
}

TEST_P(MemorySuite, AnEntryComesBackAsItWasPut) {
  const auto put_in = entry("1", "one \"quoted\" \xf0\x9f\x8c\x8d", "a", "s", MemoryType::procedural);
  put(put_in);
  const auto got = list(of()).at(0);
  EXPECT_EQ(got.type, put_in.type);
  EXPECT_EQ(got.agent_id, put_in.agent_id);
  EXPECT_EQ(got.session_id, put_in.session_id);
  EXPECT_EQ(got.text, put_in.text);
  EXPECT_EQ(got.json, put_in.json);
  EXPECT_EQ(got.created, put_in.created);
  EXPECT_GT(got.position, 0u);
}

TEST_P(MemorySuite, PuttingAnIdAgainReplacesItAndKeepsItsPlace) {
  put_all({entry("1", "apples"), entry("2", "two")});
  const auto place = list(of()).at(1).position;
  put(entry("1", "pears"));
  EXPECT_EQ(listed(of()), (Ids{"2", "1"}));
  EXPECT_EQ(list(of()).at(1).position, place);
  EXPECT_EQ(list(of()).at(1).text, "pears");
  EXPECT_TRUE(found("apples").empty());
  EXPECT_EQ(found("pears"), Ids{"1"});
}

TEST_P(MemorySuite, PagesGoBackwards) {
  for (int i = 1; i <= 5; ++i) put(entry(std::to_string(i), "x"));
  auto q = of();
  q.limit = 2;
  const auto page = list(q);
  EXPECT_EQ(ids(page), (Ids{"5", "4"}));
  q.before = page.back().position;
  EXPECT_EQ(listed(q), (Ids{"3", "2"}));
}

TEST_P(MemorySuite, AgentsDoNotSeeEachOther) {
  put(entry("1", "apples", "a"));
  put(entry("1", "apples", "b"));
  put(entry("2", "apples", "a_b"));
  EXPECT_EQ(listed(of("a")), Ids{"1"});
  EXPECT_EQ(found("apples", of("a_b")), Ids{"2"});
  EXPECT_EQ(remove(of("b")), 1u);
  EXPECT_EQ(found("apples", of("a")), Ids{"1"});
}

TEST_P(MemorySuite, SessionsAndTypesNarrow) {
  put(entry("1", "apples", "a", "s1"));
  put(entry("2", "apples", "a", "s2"));
  put(entry("3", "apples", "a", "s1", MemoryType::long_term));
  auto q = of();
  q.session_id = "s1";
  EXPECT_EQ(listed(q), (Ids{"3", "1"}));
  q.type = MemoryType::long_term;
  EXPECT_EQ(listed(q), Ids{"3"});
  EXPECT_EQ(found("apples", q), Ids{"3"});
}

TEST_P(MemorySuite, SearchPutsTheBestFirst) {
  put(entry("1", "the disk of the server is almost full, and so is everything else on this long list of complaints"));
  put(entry("2", "disk full"));
  put(entry("3", "the weather is fine"));
  EXPECT_EQ(found("disk full"), (Ids{"2", "1"}));
  EXPECT_EQ(found("anything about a full disk?").front(), "2");
  EXPECT_TRUE(found("nothing-like-it").empty());
}

TEST_P(MemorySuite, QueriesAreWordsAndNoLanguage) {
  put(entry("1", "salt AND pepper"));
  for (const char* words : {"\"", "\"\"", "AND", "NOT salt", "salt*", "text:salt", "(salt", "NEAR(salt", "^salt", "-salt", "a\"b", "{}", "!!!", "'", "%", "_"}) {
    EXPECT_NO_THROW(found(words)) << words;
  }
  EXPECT_EQ(found("pepper)"), Ids{"1"});
  EXPECT_TRUE(found("").empty());
  EXPECT_TRUE(found("   ").empty());
}

TEST_P(MemorySuite, SearchesInEveryLanguage) {
  put(entry("ja", "\xe6\x9d\xb1\xe4\xba\xac\xe3\x81\xaf\xe6\x9a\x91\xe3\x81\x84"));                                    // 東京は暑い
  put(entry("zh", "\xe4\xbb\x8a\xe5\xa4\xa9\xe5\xa4\xa9\xe6\xb0\x94\xe5\xbe\x88\xe5\xa5\xbd"));                        // 今天天气很好
  put(entry("ru", "\xd0\xa1\xd0\xb5\xd1\x80\xd0\xb2\xd0\xb5\xd1\x80 \xd1\x83\xd0\xbf\xd0\xb0\xd0\xbb"));               // Сервер упал
  put(entry("de", "Der Schl\xc3\xbcssel"));                                                                           // Der Schlüssel
  EXPECT_EQ(found("\xe6\x9d\xb1\xe4\xba\xac"), Ids{"ja"});                                                            // 東京
  EXPECT_EQ(found("\xe5\xa4\xa9\xe6\xb0\x94"), Ids{"zh"});                                                            // 天气
  EXPECT_EQ(found("\xd1\x81\xd0\xb5\xd1\x80\xd0\xb2\xd0\xb5\xd1\x80"), Ids{"ru"});                                     // сервер
  EXPECT_EQ(found("schl\xc3\xbcssel"), Ids{"de"});
}

TEST_P(MemorySuite, RemovesOneOrAllThatFit) {
  put_all({entry("1", "x"), entry("2", "x", "a", "other"), entry("3", "x")});
  auto q = of();
  q.id = "1";
  EXPECT_EQ(remove(q), 1u);
  EXPECT_EQ(remove(q), 0u);
  q = of();
  q.session_id = "s";
  EXPECT_EQ(remove(q), 1u);
  EXPECT_EQ(listed(of()), Ids{"2"});
  EXPECT_EQ(found("x"), Ids{"2"});
}

TEST_P(DurableMemorySuite, RememberAfterARestart) {
  put(entry("1", "apples"));
  const auto place = list(of()).at(0).position;
  open();
  EXPECT_EQ(found("apples"), Ids{"1"});
  put(entry("2", "pears"));
  EXPECT_GT(list(of()).at(0).position, place);
}

}  // namespace
}  // namespace agentd::conformance
