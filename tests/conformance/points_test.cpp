// What memory in a vector database promises beyond what every memory store does: vectors beside entries, and what is told to people.
#include <gtest/gtest.h>

#include <cmath>

#include "core/plugin/ports.hpp"
#include "tests/conformance/vector_grounds.hpp"

namespace agentd::conformance {
namespace {

using namespace port;
using Ids = std::vector<std::string>;
using Vector = std::vector<float>;

struct Product {
  const char* name;
  const char* file;
  std::unique_ptr<Ground> (*ground)();
};
const Product kProducts[] = {{"qdrant", AGENTD_QDRANT_PLUGIN, make_ground<QdrantGround>}, {"chroma", AGENTD_CHROMA_PLUGIN, make_ground<ChromaGround>}};

MemoryEntry entry(const std::string& id, const Vector& vector, const std::string& space = "m") {
  MemoryEntry e;
  e.agent_id = "a", e.session_id = "s", e.id = id, e.text = "text of " + id, e.json = "{}";
  e.vector = vector;
  if (!vector.empty()) e.space = space;
  return e;
}
MemoryQuery near(const Vector& vector, std::size_t limit = 100, const std::string& space = "m") {
  MemoryQuery q;
  q.agent_id = "a", q.vector = vector, q.space = space, q.limit = limit;
  return q;
}

class OpenPoints {
 public:
  OpenPoints(const Product& product, const std::string& settings) {
    auto& library = library_of(product.file);
    auto opened = plugins_.run(plugin::open_memory(plugins_.instances(), {&library, library.component(plugin::Kind::memory, product.name)}, "points", settings));
    if (opened) store_ = std::move(*opened);
    else error_ = opened.error().message;
  }
  const std::string& error() const { return error_; }  // why it was not opened
  std::string log() const { return plugins_.log(); }
  bool has_vectors() const { return store_->has_vectors(); }

  std::string put(std::vector<MemoryEntry> entries) {
    const auto done = plugins_.run(store_->put(std::move(entries), std::chrono::seconds(30)));
    return done ? "done" : done.error().message;
  }
  Result<std::vector<MemoryEntry>> search(MemoryQuery query) { return plugins_.run(store_->search(std::move(query))); }
  Ids found(MemoryQuery query) { return ids(search(std::move(query))); }
  Result<std::vector<MemoryEntry>> list(MemoryQuery query) { return plugins_.run(store_->list(std::move(query))); }
  Ids listed() {
    MemoryQuery q;
    q.agent_id = "a";
    return ids(list(std::move(q)));
  }
  std::uint64_t remove(const std::string& id = {}) {
    MemoryQuery q;
    q.agent_id = "a", q.id = id;
    return plugins_.run(store_->remove(std::move(q))).value_or(999);
  }

 private:
  static Ids ids(const Result<std::vector<MemoryEntry>>& entries) {
    if (!entries) return {"failed: " + entries.error().message};
    Ids all;
    for (const auto& e : *entries) all.push_back(e.id);
    return all;
  }
  PluginWorld plugins_{PluginWorld::Time::is_real};
  std::unique_ptr<MemoryStore> store_;
  std::string error_;
};

class Points : public testing::TestWithParam<Product> {
 protected:
  const std::unique_ptr<Ground> ground_ = GetParam().ground();
  OpenPoints store_{GetParam(), ground_->settings()};
};
INSTANTIATE_TEST_SUITE_P(Memory, Points, testing::ValuesIn(kProducts), [](const auto& info) { return std::string(info.param.name); });
#define EXPECT_HAS(text, part) EXPECT_TRUE((text).find(part) != std::string::npos) << (text)

TEST_P(Points, FindTheNearestByCosine) {
  ASSERT_TRUE(store_.has_vectors());
  ASSERT_EQ(store_.put({entry("right", {1, 0}), entry("up", {0, 5}), entry("between", {3, 3}), entry("none", {})}), "done");
  const auto found = store_.search(near({2, 0.5}));
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_EQ(found->size(), 3u);
  EXPECT_EQ((*found)[0].id, "right");
  EXPECT_EQ((*found)[1].id, "between");
  EXPECT_EQ((*found)[0].text, "text of right");
  EXPECT_NEAR((*found)[0].score, 2 / std::sqrt(4.25), 1e-4);
  EXPECT_NEAR((*found)[2].score, 0.5 / std::sqrt(4.25), 1e-4);
  EXPECT_EQ(store_.found(near({2, 0.5}, 1)), Ids{"right"});
  EXPECT_EQ(store_.listed(), (Ids{"none", "between", "up", "right"}));
}

TEST_P(Points, NarrowByAgentSessionAndType) {
  auto other = entry("other", {1, 0});
  other.agent_id = "b";
  auto typed = entry("typed", {1, 0});
  typed.type = MemoryType::procedural;
  auto elsewhere = entry("elsewhere", {1, 0});
  elsewhere.session_id = "t";
  ASSERT_EQ(store_.put({entry("1", {0, 1}), typed, elsewhere}), "done");
  ASSERT_EQ(store_.put({other}), "done");
  auto q = near({1, 0});
  q.session_id = "s";
  EXPECT_EQ(store_.found(q), (Ids{"typed", "1"}));
  q.type = MemoryType::procedural;
  EXPECT_EQ(store_.found(q), Ids{"typed"});
  q = near({1, 0});
  q.agent_id = "b";
  EXPECT_EQ(store_.found(q), Ids{"other"});
}

TEST_P(Points, CompareNoVectorsOfDifferentSpaces) {
  ASSERT_EQ(store_.put({entry("1", {1, 0}), entry("2", {1, 0, 0}, "another model")}), "done");
  EXPECT_EQ(store_.found(near({1, 0})), Ids{"1"});
  EXPECT_EQ(store_.found(near({1, 0, 0}, 9, "another model")), Ids{"2"});
  EXPECT_EQ(store_.found(near({1, 0}, 9, "nobody's")), Ids{});
}

TEST_P(Points, ForgetTheVectorOfATextThatWasReplaced) {
  ASSERT_EQ(store_.put({entry("1", {1, 0}), entry("2", {0, 1})}), "done");
  ASSERT_EQ(store_.put({entry("1", {-1, 0})}), "done");
  const auto found = store_.search(near({1, 0}));
  ASSERT_EQ(found->size(), 2u);
  EXPECT_EQ(found->back().id, "1");
  EXPECT_NEAR(found->back().score, -1, 1e-4);
  ASSERT_EQ(store_.put({entry("1", {})}), "done");
  EXPECT_EQ(store_.found(near({1, 0})), Ids{"2"});
  ASSERT_EQ(store_.put({entry("2", {0, 1, 0}, "another model")}), "done");
  EXPECT_EQ(store_.found(near({1, 0})), Ids{});
  EXPECT_EQ(store_.listed(), (Ids{"2", "1"}));
}

TEST_P(Points, RemoveVectorsWithTheirEntries) {
  ASSERT_EQ(store_.put({entry("1", {1, 0}), entry("2", {0, 1})}), "done");
  EXPECT_EQ(store_.remove("1"), 1u);
  EXPECT_EQ(store_.found(near({1, 0})), Ids{"2"});
  EXPECT_EQ(store_.remove(), 1u);
  EXPECT_EQ(store_.found(near({1, 0})), Ids{});
  ASSERT_EQ(store_.put({entry("1", {})}), "done");
  EXPECT_EQ(store_.found(near({1, 0})), Ids{}) << "an id that comes back has not its old vector";
}

TEST_P(Points, RefuseAnotherNumberOfDimensionsAndPutNothing) {
  ASSERT_EQ(store_.put({entry("1", {1, 0})}), "done");
  const auto refused = store_.put({entry("2", {}), entry("3", {1, 0, 0})});
  EXPECT_HAS(refused, "vectors of space \"m\" have 2 dimensions here, not 3");
  EXPECT_HAS(store_.put({entry("2", {1, 0, 0}, "new"), entry("3", {1, 0}, "new")}), "space \"new\" have 3 dimensions here, not 2");
  EXPECT_EQ(store_.listed(), Ids{"1"});
  const auto asked = store_.search(near({1, 0, 0}));
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().error_class, ErrorClass::terminal);
  EXPECT_HAS(asked.error().message, "vectors of space \"m\" have 2 dimensions here, not 3");
  ASSERT_EQ(store_.remove(), 1u);
  EXPECT_EQ(store_.put({entry("3", {1, 0, 0})}), "done") << "nothing of this space is kept any more";
  EXPECT_EQ(store_.found(near({1, 0, 0})), Ids{"3"});
}

TEST_P(Points, FindEnoughAmongMany) {
  std::vector<MemoryEntry> entries;
  for (int i = 0; i < 300; ++i) entries.push_back(entry(std::to_string(i), {1, static_cast<float>(i) / 100}));
  ASSERT_EQ(store_.put(entries), "done");
  EXPECT_EQ(store_.found(near({1, 0}, 3)), (Ids{"0", "1", "2"}));
  EXPECT_EQ(store_.found(near({1, 0}, 250)).size(), 250u);
  MemoryQuery words;
  words.agent_id = "a", words.text = "text", words.limit = 1'000;
  EXPECT_EQ(store_.found(words).size(), 300u);
  EXPECT_EQ(store_.remove(), 300u);
}

// More than are asked for at a time, put over some time.
TEST_P(Points, GivePagesOfMany) {
  Ids wanted;
  for (int put = 0; put < 20; ++put) {
    std::vector<MemoryEntry> entries;
    for (int i = 0; i < 40; ++i) {
      entries.push_back(entry(std::to_string(put * 40 + i), {}));
      wanted.insert(wanted.begin(), entries.back().id);
    }
    ASSERT_EQ(store_.put(entries), "done");
  }
  Ids seen;
  MemoryQuery q;
  q.agent_id = "a", q.limit = 31;
  for (auto page = store_.list(q); page && !page->empty() && seen.size() < 2 * wanted.size(); page = store_.list(q)) {
    for (const auto& e : *page) seen.push_back(e.id);
    q.before = page->back().position;
  }
  EXPECT_EQ(seen, wanted);
}

TEST_P(Points, KeepCollectionsApart) {
  ASSERT_EQ(store_.put({entry("1", {1, 0})}), "done");
  OpenPoints other(GetParam(), GetParam().ground()->settings());
  EXPECT_EQ(other.listed(), Ids{});
  EXPECT_EQ(other.found(near({1, 0})), Ids{});
}

TEST_P(Points, RefuseSettingsThatMakeNoSense) {
  const std::pair<const char*, const char*> wrong[] = {
      {R"({"url":"redis://h"})", "url: must begin with https:// or http://"},
      {R"({"url":"http://h","port":1})", "give one or the others"},
      {R"({"port":0})", "port: 1 to 65535"},
      {R"({"collection":"a b"})", "collection: "},
      {R"({"timeout":"0s"})", "timeout: \"100ms\" to \"60s\""},
  };
  for (const auto& [settings, what] : wrong) EXPECT_HAS(OpenPoints(GetParam(), settings).error(), what);
}

TEST(Qdrant, TakesNoOtherKeyAndRepeatsNone) {
  const auto ground = make_ground<QdrantGround>();
  auto settings = ground->settings();
  if (!ground->server()) GTEST_SKIP() << "the server is somebody else's";
  settings.replace(settings.find(QdrantGround::kPassword), std::string_view(QdrantGround::kPassword).size(), "another secret key");
  const OpenPoints store(kProducts[0], settings);
  EXPECT_HAS(store.error(), ": it does not take this api_key: it answered with status 401");
  EXPECT_FALSE((store.error() + store.log()).find("another secret key") != std::string::npos);
}

}  // namespace
}  // namespace agentd::conformance
