#include <agentd/testing/fake_host.hpp>
#include <gtest/gtest.h>

using namespace agentd::sdk;
using agentd::testing::FakeAnswer;
using agentd::testing::FakeHost;
using agentd::testing::FakeRequest;

namespace kinds_test {

struct Report : Task {
  struct Params {
    double warn = 0.9;
    AGENTD_FIELDS(warn)
  };
  Outcome run(const Params& params, Run& run) {
    if (run.params()["trigger"]) run.log("triggered");
    return Outcome::result(params.warn).state(run.state_as<int>().value_or(0) + 1);
  }
};
struct Gate : Task {
  Outcome run(const Run& run) const {
    const Json roots = run.params()["roots"];
    if (!roots) throw Error("params: \"roots\" is missing");
    return roots[0] ? Outcome::proceed().params(Raw{R"({"changed":1})"}) : Outcome::stop();
  }
};

struct Echo : Provider {
  void complete(const Prompt& prompt, Completion completion) override {
    if (prompt.options()["fail"]) throw Error("too long");
    if (prompt.options()["drop"]) return;
    if (!completion.emit_text("You ")) return completion.fail(Error("stopped", Failure::cancelled));
    completion.answer({"You said: " + last_text(prompt), {}, Finish::stop, Usage{3, 4}});
  }
};
struct Places : Provider, Embedder {
  void complete(const Prompt&, Completion completion) override { completion.fail(Error("it only embeds")); }
  void embed(const Texts& texts, Embedding embedding) override {
    if (texts[0] == "throw") throw Error("too long");
    if (texts[0] == "drop") return;
    if (texts[0] == "limit") return embedding.fail(Error("slow down", Failure::retryable, 2000), ModelFailure::rate);
    Vectors vectors{{}, Usage{3}, std::string(texts.model()) + "-1"};
    for (std::size_t i = 0; i < texts.size(); ++i) vectors.values.push_back(std::vector<float>(texts[i] == "wide" ? 3 : 2, static_cast<float>(texts[i].size())));
    embedding.answer(vectors);
  }
};
struct Remote : Provider {
  explicit Remote(const Config&, const Host& host) : host_(host) {}
  void complete(const Prompt& prompt, Completion completion) override {
    const agentd_op op = completion.op();
    const HttpRequest request{"POST", "http://model/v1", {{"content-type", "application/json"}}, std::string(prompt[0].text())};
    send(host_, op, request, [completion = std::move(completion)](HttpResult result) mutable { finish(std::move(completion), std::move(result)); });
  }
  static void finish(Completion completion, HttpResult result) {
    if (const auto* error = std::get_if<Error>(&result)) return completion.fail(*error, ModelFailure::server);
    const auto& response = std::get<HttpResponse>(result);
    if (response.status == 429) return completion.fail(Error("slow down", Failure::retryable, 2000), ModelFailure::rate);
    completion.answer({"", {{"c1", "area", response.body}}, Finish::tool_calls});
  }
  Host host_;
};

struct Notes : MemoryStore {
  static constexpr bool concurrent = true, vectors = true;
  void put(const std::vector<MemoryEntry>& entries) override {
    for (const auto& e : entries) {
      if (e.text.empty()) throw Error("an entry without a text");
      kept.push_back(e);
      kept.back().position = kept.size();
    }
  }
  std::vector<MemoryEntry> list(const MemoryQuery& query) override {
    std::vector<MemoryEntry> found;
    for (auto e = kept.rbegin(); e != kept.rend() && found.size() < query.limit; ++e) found.push_back(*e);
    return found;
  }
  std::vector<MemoryEntry> search(const MemoryQuery& query) override {
    std::vector<MemoryEntry> found;
    if (!query.vector.empty()) {
      for (const auto& e : kept) {
        if (e.vector == query.vector && e.space == query.space) found.push_back(e);
      }
      return found;
    }
    for (const auto& e : kept) {
      if (e.agent_id == query.agent_id && e.text.find(query.text) != e.text.npos) found.push_back(e), found.back().score = 0.5;
    }
    return found;
  }
  uint64_t remove(const MemoryQuery&) override { return std::exchange(kept, {}).size(); }
  std::vector<MemoryEntry> kept;
};

struct Lines : EventStore {
  explicit Lines(const Config&, const Host& host) : host_(host) {}
  void append(const EventBatch& batch) override {
    if (batch[0].type == "bad") throw Error("the disk is full", Failure::retryable);
    for (const Event& e : batch) host_.log(std::string(e.id) + " " + std::string(e.run_id) + " " + std::string(e.payload));
  }
  Host host_;
};

struct Tools : Toolset {
  Tools() {
    add("add", "", {"x"}, Effect::pure, [](int x) { return x + 1; });
  }
};
struct Unmade : Toolset {
  Unmade() { throw Error("not today"); }
};

}  // namespace kinds_test

using namespace kinds_test;

namespace {

const agentd_plugin* kinds() {
  static const detail::Descriptor descriptor("kinds", "1", provides<Report>("report"), provides<Gate>("gate"), provides<Echo>("echo"), provides<Places>("places"),
                                             provides<Remote>("remote"), provides<Notes>("notes"), provides<Lines>("lines"), provides<Tools>("tools"), provides<Unmade>("unmade"));
  return descriptor.get();
}

struct KindsTest : ::testing::Test {
  FakeHost host{kinds()};
  static std::vector<std::pair<Role, std::string>> say(const std::string& content) {
    return {{Role::user, R"({"role":"user","content":)" + content + "}"}};
  }
};
using TaskTest = KindsTest;
using ProviderTest = KindsTest;
using MemoryTest = KindsTest;
using EventsTest = KindsTest;

template <class F>
std::string refusal(F call) {
  try {
    call();
  } catch (const std::logic_error& e) {
    return e.what();
  }
  return "nothing was thrown";
}

TEST_F(KindsTest, SayWhatACallIsNotFor) {
  auto report = host.create("report");
  auto tools = host.create("tools");
  auto lines = host.create("lines");
  EXPECT_EQ(refusal([&] { tools.bind("{}"); }), "tools has no bind");
  EXPECT_EQ(refusal([&] { tools.run(); }), "tools is a toolset, not a task");
  EXPECT_EQ(refusal([&] { tools.complete({}); }), "tools is a toolset, not a provider");
  EXPECT_EQ(refusal([&] { report.call("add"); }), "report is a task, not a toolset");
  EXPECT_EQ(refusal([&] { report.reconcile("add"); }), "report is a task, not a toolset");
  EXPECT_EQ(refusal([&] { (void)report.binds(); }), "report is a task, not a toolset");
  EXPECT_EQ(refusal([&] { report.append({}); }), "report is a task, not an event store");
  EXPECT_EQ(refusal([&] { lines.put({}); }), "lines is an event store, not a memory store");
  EXPECT_EQ(refusal([&] { lines.search({}); }), "lines is an event store, not a memory store");
  EXPECT_EQ(refusal([&] { host.try_create("unmade").call("add"); }), "unmade was not made: not today");
  EXPECT_EQ(tools.call("add", R"({"x": 1})").value, "2");  // what is refused leaves nothing behind
}

TEST_F(TaskTest, AnswersWithResultAndState) {
  auto report = host.create("report");
  EXPECT_EQ(report.run().value, R"({"result":0.9,"state":1})");
  EXPECT_EQ(report.run(R"({"warn": 0.5})", "4").value, R"({"result":0.5,"state":5})");
}

TEST_F(TaskTest, RefusesParamsThatItDoesNotKnow) {
  auto report = host.create("report");
  EXPECT_EQ(report.run(R"({"wran": 1})").value, R"(params: unknown key "wran"; known are: warn)");
  EXPECT_EQ(report.run(R"({"warn": "x"})").value, R"(params: warn: expected a number, got "x")");
  EXPECT_EQ(report.run("{}", R"("text")").value, R"(state: expected an integer, got "text")");
  EXPECT_TRUE(report.run(R"({"trigger": {"file": "a.csv"}})").ok());
  EXPECT_EQ(host.logs(), std::vector<std::string>{"triggered"});
}

TEST_F(TaskTest, DecidesAsAGate) {
  auto gate = host.create("gate");
  EXPECT_EQ(gate.run(R"({"roots": ["/"]})").value, R"({"proceed":true,"params":{"changed":1}})");
  EXPECT_EQ(gate.run(R"({"roots": []})").value, R"({"proceed":false})");
  EXPECT_EQ(gate.run().status, AGENTD_TERMINAL);
}

TEST_F(ProviderTest, AnswersWithTextDeltasAndUsage) {
  auto echo = host.create("echo");
  const auto ended = echo.complete(say(R"([{"type":"text","text":"a"},{"type":"text","text":"b"}])"));
  ASSERT_TRUE(ended.answer);
  EXPECT_EQ(ended.answer->text, "You said: ab");
  EXPECT_EQ(ended.answer->usage->output_tokens, 4);
  ASSERT_EQ(ended.deltas.size(), 1u);
  EXPECT_EQ(ended.deltas[0].text, "You ");
}

TEST_F(ProviderTest, SaysWhyItFailed) {
  auto echo = host.create("echo");
  const auto thrown = echo.complete(say(R"("x")"), R"({"fail": true})");
  EXPECT_EQ(thrown.status, AGENTD_TERMINAL);
  EXPECT_EQ(thrown.value, "too long");
  EXPECT_EQ(echo.complete(say(R"("x")"), R"({"drop": true})").status, AGENTD_UNKNOWN_OUTCOME);
}

TEST_F(ProviderTest, EmbedsTexts) {
  auto places = host.create("places");
  EXPECT_TRUE(places.embeds());
  const auto ended = places.embed({"apples", "a"});
  ASSERT_TRUE(ended.vectors);
  EXPECT_EQ(ended.vectors->values, (std::vector<std::vector<float>>{{6, 6}, {1, 1}}));
  EXPECT_EQ(ended.vectors->usage->input_tokens, 3);
  EXPECT_EQ(ended.vectors->model, "model-1");

  const auto limited = places.embed({"limit"});
  EXPECT_EQ(limited.failure, ModelFailure::rate);
  EXPECT_EQ(limited.retry_after_ms, 2000);
  EXPECT_EQ(places.embed({"throw"}).value, "too long");
  const auto dropped = places.embed({"drop"});
  EXPECT_EQ(dropped.status, AGENTD_UNKNOWN_OUTCOME);
  EXPECT_EQ(dropped.value, "the provider dropped the embedding");
  const auto unequal = places.embed({"a", "wide"});
  EXPECT_EQ(unequal.value, "vectors of 2 and of 3 dimensions in one answer");
  EXPECT_EQ(unequal.failure, ModelFailure::answer);

  auto echo = host.create("echo");
  EXPECT_FALSE(echo.embeds());
  EXPECT_EQ(refusal([&] { echo.embed({"a"}); }), "echo has no embed");
}

TEST_F(ProviderTest, GoesThroughTheHostsHttp) {
  FakeAnswer next{200, R"({"length":3})"};
  host.answer_http([&](const FakeRequest&) { return next; });
  auto remote = host.create("remote");
  EXPECT_EQ(remote.complete(say(R"("x")")).answer->calls[0].arguments, R"({"length":3})");
  EXPECT_EQ(host.requests()[0].body, R"({"role":"user","content":"x"})");
  next.status = 429;
  const auto limited = remote.complete(say(R"("x")"));
  EXPECT_EQ(limited.failure, ModelFailure::rate);
  EXPECT_EQ(limited.retry_after_ms, 2000);
  next.error = AGENTD_RETRYABLE;
  EXPECT_EQ(remote.complete(say(R"("x")")).failure, ModelFailure::server);
}

TEST_F(ProviderTest, FailsWhereTheHostRefusesItsRequest) {
  auto remote = host.create("remote");
  const auto ended = remote.complete(say(R"("x")"));
  EXPECT_FALSE(ended.ok());
  EXPECT_FALSE(ended.answer);
}

TEST_F(MemoryTest, KeepsListsFindsAndForgets) {
  auto notes = host.create("notes");
  std::vector<MemoryEntry> entries;
  for (int i = 0; i < 600; ++i) entries.push_back({MemoryType::episodic, "a", "s", std::to_string(i), "note " + std::to_string(i), "{}", i});
  EXPECT_TRUE(notes.put(entries).ok());
  const auto listed = notes.list({MemoryType::any, "a", "", "", "", 0, 500});
  ASSERT_EQ(listed.entries.size(), 500u);  // more than one piece
  EXPECT_EQ(listed.entries[0].id, "599");
  EXPECT_EQ(listed.entries[0].position, 600u);
  const auto found = notes.search({MemoryType::any, "a", "", "", "note 599", 0, 10});
  ASSERT_EQ(found.entries.size(), 1u);
  EXPECT_EQ(found.entries[0].score, 0.5);
  EXPECT_EQ(notes.remove({}).value, "600");
  EXPECT_EQ(notes.put({MemoryEntry()}).value, "an entry without a text");
}

TEST_F(MemoryTest, KeepsVectorsAndSearchesByThem) {
  const auto flags = [](const char* name) {
    for (uint32_t i = 0; i < kinds()->component_count; ++i) {
      if (view(kinds()->components[i]->name) == name) return kinds()->components[i]->flags;
    }
    return 0u;
  };
  EXPECT_EQ(flags("notes"), uint32_t{AGENTD_CONCURRENT | AGENTD_VECTORS});
  EXPECT_EQ(flags("echo"), 0u);
  auto notes = host.create("notes");
  MemoryEntry entry{MemoryType::long_term, "a", "", "1", "apples", "{}"};
  entry.vector = {0.25f, -1};
  entry.space = "small";
  EXPECT_TRUE(notes.put({entry, {MemoryType::long_term, "a", "", "2", "pears", "{}"}}).ok());
  MemoryQuery query{MemoryType::any, "a", "", "", "", 0, 10, {0.25f, -1}, "small"};
  ASSERT_EQ(notes.search(query).entries.size(), 1u);
  query.space = "large";
  EXPECT_TRUE(notes.search(query).entries.empty());
}

TEST_F(EventsTest, AppendsBatches) {
  auto lines = host.create("lines");
  EXPECT_TRUE(lines.append({{"1", "t", "a", "r", "", 5, R"({"x":1})"}, {"2", "t", "a", "", "", 6, "{}"}}).ok());
  EXPECT_EQ(host.logs(), (std::vector<std::string>{R"(1 r {"x":1})", "2  {}"}));
  EXPECT_EQ(lines.append({{"3", "bad", "", "", "", 0, "{}"}}).status, AGENTD_RETRYABLE);
}

}  // namespace
