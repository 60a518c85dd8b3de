#include "core/plugin/ports.hpp"

#include <agentd/abi/events.h>
#include <agentd/abi/memory.h>
#include <agentd/abi/provider.h>
#include <agentd/abi/task.h>
#include <agentd/abi/toolset.h>

#include <limits>

#include "core/plugin/load.hpp"
#include "tests/unit/plugin/folder.hpp"
#include "tests/unit/plugin/left_behind.hpp"
#include "tests/unit/plugin/stage.hpp"

namespace agentd::plugin::test {
namespace {

using port::Status;

// A plugin of one component whose slots find this object through create's settings, which are its address: the test's way in.
template <class Table>
struct Part {
  agentd_host* host = nullptr;
  std::function<void(Part&)> at_create = [](Part&) {};

  static void create(agentd_host* h, agentd_op op, agentd_str settings) {
    auto* const self = reinterpret_cast<Part*>(std::stoull(std::string(view(settings))));
    self->host = h;
    self->at_create(*self);
    self->template service<agentd_host_ops_v1>(AGENTD_HOST_OPS_1)->created(h, op, self);
  }
  static void destroy(void* self, agentd_op op) { static_cast<Part*>(self)->finish(op); }
  static Part& of(void* self) { return *static_cast<Part*>(self); }
  template <class S>
  const S* service(const char* id) const {
    return static_cast<const S*>(host->service(host, id));
  }
  std::int32_t finish(agentd_op op, std::int32_t status = AGENTD_OK, std::string_view value = {}) const {
    const agentd_result r{sizeof r, status, str(value), -1};
    return service<agentd_host_ops_v1>(AGENTD_HOST_OPS_1)->finish(host, op, &r);
  }

  Library library;
  Catalog::Found found(const char* interface_id, const Table& table, std::uint32_t flags = 0) {
    library.name = "acme";
    const agentd_component c{sizeof c, flags, str(interface_id), str("acme"), {}, {}, &table};
    library.components.push_back(std::make_unique<Component>(c, 100));
    return {&library, library.components.front().get()};
  }
  std::string settings() const { return std::to_string(reinterpret_cast<std::uintptr_t>(this)); }
};

// Knows one secret.
struct Hush final : port::Cleaner {
  static constexpr std::string_view kSecret = "sk-0123456789";
  void clean(std::string& text) const override {
    for (auto at = text.find(kSecret); at != text.npos; at = text.find(kSecret)) text.replace(at, kSecret.size(), "[secret]");
  }
  void clean_json(std::string& json) const override { clean(json); }
};

struct House {
  support::VirtualWorld world;
  std::string log;
  Hush hush;
  Instances instances{world.world(),
                      Services{.log = [this](LogLevel, std::string_view, std::string_view text) { (log += text) += '\n'; }, .cleaner = &hush},
                      {.patience = {}, .make_workers = [this](const Library&) { return std::make_unique<InlineWorkers>(world.world().executor); }, .check_settings = {}}};
  ~House() { close(); }
  void close() { world.run(instances.close()); }
};

// ---- toolset

struct Tools : Part<agentd_toolset_v1> {
  std::vector<agentd_tool> tools;
  std::function<void(const agentd_call&)> on_call = [](const agentd_call&) {};
  int binds = 0;

  static Tools& me(void* self) { return static_cast<Tools&>(of(self)); }
  static void bind(void* self, agentd_op op, agentd_str settings) {
    ++me(self).binds;
    if (view(settings).find("/etc") != std::string_view::npos) me(self).finish(op, AGENTD_TERMINAL, "roots: /etc is not within /srv");
    else me(self).finish(op, AGENTD_OK, std::to_string(me(self).binds));
  }
  static void start(void* self, const agentd_call* call) { me(self).on_call(*call); }
  static void reconcile(void* self, const agentd_call* call) { me(self).finish(call->op, AGENTD_RETRYABLE, "it did not happen"); }

  agentd_toolset_v1 table{create, destroy, bind, start, reconcile, nullptr};
  std::int32_t publish() const {
    std::vector<const agentd_tool*> list;
    for (const auto& t : tools) list.push_back(&t);
    return service<agentd_host_tools_v1>(AGENTD_HOST_TOOLS_1)->publish(host, list.data(), list.size());
  }
  Tools() {
    tools = {tool("area")};
    at_create = [](Part& p) { static_cast<Tools&>(p).publish(); };
  }
  static agentd_tool tool(std::string_view name, std::string_view schema = R"({"type":"object"})", std::int32_t effect = AGENTD_EFFECT_PURE) {
    return {sizeof(agentd_tool), 0, effect, 0, str(name), str("A tool"), str(schema)};
  }
  static agentd_tool reconciling(std::string_view name, std::int32_t effect) {
    auto made = tool(name, R"({"type":"object"})", effect);
    made.flags = AGENTD_TOOL_RECONCILES;
    return made;
  }
};

struct ToolsetHouse : House {
  Tools tools;
  std::unique_ptr<port::Toolset> toolset;
  ~ToolsetHouse() { close(); }
  Result<void> open() {
    auto opened = world.run(open_toolset(instances, tools.found(AGENTD_TOOLSET_1, tools.table), "geometry", tools.settings()));
    if (!opened) return std::unexpected(opened.error());
    toolset = std::move(*opened);
    return {};
  }
};

TEST(ToolsetPort, PublishesAndCalls) {
  ToolsetHouse house;
  house.tools.tools = {Tools::reconciling("area", AGENTD_EFFECT_ONCE)};
  ASSERT_TRUE(house.open());
  ASSERT_EQ(house.toolset->tools()->size(), 1u);
  const auto& spec = house.toolset->tools()->front();
  EXPECT_EQ(spec.name, "area");
  EXPECT_EQ(spec.effect, port::Effect::once);
  EXPECT_TRUE(spec.reconciles);
  house.tools.on_call = [&](const agentd_call& c) {
    EXPECT_EQ(view(c.call_id), "7-x/1/0");
    EXPECT_EQ(view(c.tool), "area");
    EXPECT_EQ(c.scope, 3u);
    EXPECT_EQ(c.timeout_ms, 5000);
    house.tools.finish(c.op, AGENTD_OK, c.arguments.size == 2 ? "12" : "0");
  };
  const auto got = house.world.run(house.toolset->call({"7-x/1/0", "a", "7-x", "area", "{}", 3, 5s}, {}));
  EXPECT_EQ(got.status, Status::ok);
  EXPECT_EQ(got.value, "12");
  EXPECT_EQ(house.world.run(house.toolset->reconcile({"7-x/1/0", "a", "7-x", "area", "{}", 3, 5s})).status, Status::retryable);
}

TEST(ToolsetPort, KeepsTheListARunHasWhenTheToolsetPublishesAnother) {
  ToolsetHouse house;
  ASSERT_TRUE(house.open());
  const auto of_the_run = house.toolset->tools();
  house.tools.tools.push_back(Tools::tool("volume"));
  EXPECT_EQ(house.tools.publish(), AGENTD_OK);
  EXPECT_EQ(of_the_run->size(), 1u);
  EXPECT_EQ(house.toolset->tools()->size(), 2u);
}

TEST(ToolsetPort, TellsModelsNoSecretInWhatItSaysOfItsTools) {
  ToolsetHouse house;
  house.tools.tools = {Tools::tool("area", R"({"type":"object","description":"key sk-0123456789"})")};
  house.tools.tools[0].summary = str("Uses sk-0123456789");
  ASSERT_TRUE(house.open());
  const auto& spec = house.toolset->tools()->front();
  EXPECT_EQ(spec.summary, "Uses [secret]");
  EXPECT_EQ(spec.schema, R"({"type":"object","description":"key [secret]"})");
}

TEST(ToolsetPort, SharesTheScopeOfEqualSettings) {
  ToolsetHouse house;
  ASSERT_TRUE(house.open());
  EXPECT_EQ(house.world.run(house.toolset->bind(R"({"a":1,"b":2})")).value(), 1u);
  EXPECT_EQ(house.world.run(house.toolset->bind(R"({"b":2, "a":1})")).value(), 1u);
  EXPECT_EQ(house.world.run(house.toolset->bind(R"({"a":2})")).value(), 2u);
  const auto wider = house.world.run(house.toolset->bind(R"({"roots":["/etc"]})"));
  EXPECT_EQ(wider.error().message, "roots: /etc is not within /srv");
}

TEST(ToolsetPort, RefusesToNarrowWithoutBind) {
  ToolsetHouse house;
  house.tools.table.bind = nullptr;
  ASSERT_TRUE(house.open());
  EXPECT_NE(house.world.run(house.toolset->bind("{}")).error().message.find("cannot be narrowed"), std::string::npos);
}

struct Garbage {
  agentd_tool tool;
  std::string_view says;
};
class Garbages : public testing::TestWithParam<Garbage> {};

TEST_P(Garbages, AreNotPublished) {
  ToolsetHouse house;
  house.tools.tools.push_back(GetParam().tool);
  const auto opened = house.open();
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("instance \"geometry\" of plugin \"acme\" published"), std::string::npos) << opened.error().message;
  EXPECT_NE(opened.error().message.find(GetParam().says), std::string::npos) << opened.error().message;
}

INSTANTIATE_TEST_SUITE_P(Of, Garbages,
                         testing::Values(Garbage{Tools::tool("area"), "\"area\" twice"}, Garbage{Tools::tool("a.b"), "[A-Za-z0-9_-]{1,64}"},
                                         Garbage{Tools::tool(""), "[A-Za-z0-9_-]{1,64}"}, Garbage{Tools::tool("x", "{"), "a schema that is not JSON"},
                                         Garbage{Tools::tool("x", "[]"), "\"type\": \"object\""}, Garbage{Tools::tool("x", R"({"type":"array"})"), "\"type\": \"object\""},
                                         Garbage{Tools::tool("x", "{\"type\":\"object\"}", 3), "an effect that does not exist: 3"}, Garbage{agentd_tool{}, "a malformed tool"},
                                         Garbage{Tools::reconciling("x", AGENTD_EFFECT_PURE), "\"x\" with a reconcile, but it is not once"},
                                         Garbage{Tools::reconciling("x", AGENTD_EFFECT_IDEMPOTENT), "\"x\" with a reconcile, but it is not once"}));

TEST(ToolsetPort, KeepsItsListWhenALaterOneIsGarbage) {
  ToolsetHouse house;
  ASSERT_TRUE(house.open());
  house.tools.tools = {Tools::tool("bad name")};
  EXPECT_EQ(house.tools.publish(), AGENTD_DENIED);
  EXPECT_EQ(house.toolset->tools()->front().name, "area");
  EXPECT_NE(house.log.find("published a tool whose name"), std::string::npos) << house.log;
}

TEST(ToolsetPort, WorksOverALibraryFromAFile) {
  auto library = load(Folder::built("good"));
  ASSERT_TRUE(library);
  House house;
  auto toolset = house.world.run(open_toolset(house.instances, {library->get(), (*library)->components[0].get()}, "good", "{}"));
  ASSERT_TRUE(toolset) << toolset.error().message;
  EXPECT_EQ(house.world.run((*toolset)->call({.tool = "any", .arguments = "{\"a\":1}", .timeout = 5s}, {})).value, "{\"a\":1}");
}

TEST(ToolsetPort, SurvivesALibraryThatThrows) {
  auto library = load(Folder::built("throws"));
  ASSERT_TRUE(library);
  House house;
  const Catalog::Found found{library->get(), (*library)->components[0].get()};
  const auto refused = house.world.run(open_toolset(house.instances, found, "one", "{\"a\":1}"));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("threw settings like these"), std::string::npos) << refused.error().message;
  auto toolset = house.world.run(open_toolset(house.instances, found, "two", "{}"));
  ASSERT_TRUE(toolset);
  const auto got = house.world.run((*toolset)->call({.tool = "any", .arguments = "{}", .timeout = 5s}, {}));
  EXPECT_EQ(got.status, Status::terminal);
  EXPECT_NE(got.value.find("threw no tools here"), std::string::npos) << got.value;
}

// ---- task

struct Chore : Part<agentd_task_v1> {
  std::string answer = "{}";
  static void start(void* self, const agentd_task_run* run) {
    auto& me = static_cast<Chore&>(of(self));
    me.finish(run->op, AGENTD_OK, me.answer.empty() ? view(run->state) : me.answer);
  }
  agentd_task_v1 table{create, destroy, start, nullptr};
};

TEST(TaskPort, ChecksTheShapeOfTheAnswer) {
  Chore chore;
  House house;
  auto task = house.world.run(open_task(house.instances, chore.found(AGENTD_TASK_1, chore.table), "chore", chore.settings()));
  ASSERT_TRUE(task);
  const auto run = [&](std::string answer) {
    chore.answer = std::move(answer);
    return house.world.run((*task)->run({.params = "{}", .state = "null", .timeout = 5s}, {}));
  };
  EXPECT_EQ(run(R"({"result":{"free":7},"state":[1]})").value, R"({"result":{"free":7},"state":[1]})");
  EXPECT_EQ(run(R"({"proceed":false})").status, Status::ok);
  for (const auto* wrong : {"", "[]", R"({"proceed":1})", R"({"params":[]})", R"({"results":1})"}) EXPECT_EQ(run(wrong).status, Status::terminal) << wrong;
  EXPECT_NE(run(R"({"results":1})").value.find("plugin \"acme\" answered with a member that does not exist: \"results\""), std::string::npos);
}

// ---- provider

struct Model : Part<agentd_provider_v1> {
  std::function<void(const agentd_completion&)> on_complete;
  std::function<void(const agentd_embed&)> on_embed;
  static void complete(void* self, const agentd_completion* c) { static_cast<Model&>(of(self)).on_complete(*c); }
  static void embed(void* self, const agentd_embed* e) { static_cast<Model&>(of(self)).on_embed(*e); }
  agentd_provider_v1 table{create, destroy, complete, embed, nullptr};
  const agentd_host_completions_v1& completions() const { return *service<agentd_host_completions_v1>(AGENTD_HOST_COMPLETIONS_1); }
  std::int32_t emit(agentd_op op, std::string_view text) const {
    const agentd_delta d{sizeof d, AGENTD_DELTA_TEXT, 0, {}, str(text)};
    return completions().emit(host, op, &d);
  }
};

struct ProviderHouse : House {
  Model model;
  std::unique_ptr<port::Provider> provider;
  ~ProviderHouse() { close(); }
  explicit ProviderHouse(std::size_t max_concurrent = 4) {
    provider = std::move(*world.run(open_provider(instances, model.found(AGENTD_PROVIDER_1, model.table), "openai", model.settings(), max_concurrent)));
  }
  std::expected<port::Answer, port::ModelError> complete(port::Completion completion = {}) {
    completion.timeout = 60s;
    return world.run(provider->complete(std::move(completion), {}));
  }
};

TEST(ProviderPort, StreamsToWhoListensAndGivesTheWholeAnswer) {
  ProviderHouse house;
  const std::vector<port::Message> messages = {{port::Role::user, R"({"role":"user"})", "mine", "acme"}, {port::Role::user, "{}", "another's", "other"}};
  house.model.on_complete = [&](const agentd_completion& c) {
    EXPECT_EQ(c.flags, std::uint32_t{AGENTD_COMPLETION_STREAM});
    EXPECT_EQ(c.message_count, 2u);
    EXPECT_EQ(view(c.messages[0]->extra), "mine");
    EXPECT_EQ(view(c.messages[1]->extra), "");  // not for this provider
    EXPECT_EQ(house.model.emit(c.op, "Hel"), AGENTD_OK);
    EXPECT_EQ(house.model.emit(c.op, "lo"), AGENTD_OK);
    const agentd_tool_request call{sizeof call, 0, str("id"), str("area"), str("{not json")};
    const agentd_tool_request* const calls[] = {&call};
    const agentd_usage usage{sizeof usage, 0, 10, 2, -1, -7, 0};
    const agentd_answer a{sizeof a, AGENTD_FINISH_TOOL_CALLS, str("Hello"), str("{\"sig\":1}"), calls, 1, &usage, str("m-1")};
    EXPECT_EQ(house.model.completions().answer(house.model.host, c.op, &a), AGENTD_OK);
    EXPECT_NE(house.model.emit(c.op, "late"), AGENTD_OK);
  };
  std::string heard;
  const auto got = house.complete({.messages = messages, .listen = [&](const port::Delta& d) { heard += d.text; }});
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(heard, "Hello");
  EXPECT_EQ(got->text, "Hello");
  EXPECT_EQ(got->finish_reason, port::FinishReason::tool_calls);
  ASSERT_EQ(got->calls.size(), 1u);
  EXPECT_EQ(got->calls[0].arguments, "{not json");
  EXPECT_EQ(got->usage->input_tokens, 10);
  EXPECT_EQ(got->usage->cache_write_tokens, -1);
}

TEST(ProviderPort, TellsPiecesThatCameAtOnceAsOneAndKeepsTheirOrder) {
  ProviderHouse house;
  house.model.on_complete = [&](const agentd_completion& c) {
    const auto emit = [&](std::int32_t kind, std::uint64_t index, const char* name, const char* text) {
      const agentd_delta d{sizeof d, kind, index, str(name), str(text)};
      EXPECT_EQ(house.model.completions().emit(house.model.host, c.op, &d), AGENTD_OK);
    };
    emit(AGENTD_DELTA_TEXT, 0, "", "Hel");
    emit(AGENTD_DELTA_TEXT, 0, "", "lo");
    emit(AGENTD_DELTA_REASONING, 0, "", "hm");
    emit(AGENTD_DELTA_TOOL_CALL, 0, "area", "{");
    emit(AGENTD_DELTA_TOOL_CALL, 0, "", "}");
    emit(AGENTD_DELTA_TOOL_CALL, 1, "", "[");
    emit(AGENTD_DELTA_TOOL_CALL, 1, "area", "]");
    const agentd_answer a{sizeof a, AGENTD_FINISH_STOP, str("Hello"), {}, nullptr, 0, nullptr, {}};
    EXPECT_EQ(house.model.completions().answer(house.model.host, c.op, &a), AGENTD_OK);
  };
  std::vector<std::string> heard;
  const auto listen = [&](const port::Delta& d) {
    heard.push_back(std::to_string(static_cast<int>(d.kind)) + std::to_string(d.index) + std::string(d.tool) + ":" + std::string(d.text));
  };
  ASSERT_TRUE(house.complete({.listen = listen}));
  const auto kind = [](port::Delta::Kind k) { return std::to_string(static_cast<int>(k)); };
  const auto text = kind(port::Delta::Kind::text), reasoning = kind(port::Delta::Kind::reasoning), call = kind(port::Delta::Kind::tool_call);
  EXPECT_EQ(heard, (std::vector<std::string>{text + "0:Hello", reasoning + "0:hm", call + "0area:{}", call + "1:[", call + "1area:]"}));
}

TEST(ProviderPort, HearsNothingWhenNobodyListens) {
  ProviderHouse house;
  house.model.on_complete = [&](const agentd_completion& c) {
    EXPECT_EQ(c.flags, 0u);
    EXPECT_EQ(house.model.emit(c.op, "x"), AGENTD_OK);
    const agentd_answer a{sizeof a, AGENTD_FINISH_STOP, str("Hi"), {}, nullptr, 0, nullptr, {}};
    house.model.completions().answer(house.model.host, c.op, &a);
  };
  const auto got = house.complete();
  ASSERT_TRUE(got);
  EXPECT_FALSE(got->usage);
}

TEST(ProviderPort, ClassesAFailure) {
  ProviderHouse house;
  house.model.on_complete = [&](const agentd_completion& c) {
    const agentd_result r{sizeof r, AGENTD_RETRYABLE, str("429"), 1500};
    house.model.completions().fail(house.model.host, c.op, &r, AGENTD_FAILURE_RATE);
  };
  const auto got = house.complete();
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().status, Status::retryable);
  EXPECT_EQ(got.error().failure, port::Failure::rate);
  EXPECT_EQ(got.error().retry_after, 1500ms);
}

TEST(ProviderPort, IsNotPutOffForEver) {
  ProviderHouse house;
  house.model.on_complete = [&](const agentd_completion& c) {
    const agentd_result r{sizeof r, AGENTD_RETRYABLE, str("429"), INT64_MAX};
    house.model.completions().fail(house.model.host, c.op, &r, AGENTD_FAILURE_RATE);
  };
  EXPECT_EQ(house.complete().error().retry_after, std::chrono::days(30));
}

TEST(ProviderPort, DoesNotBelieveAMalformedAnswer) {
  ProviderHouse house;
  const auto answer_with = [&](const agentd_answer* a) {
    house.model.on_complete = [&house, a](const agentd_completion& c) { house.model.completions().answer(house.model.host, c.op, a); };
    const auto got = house.complete();
    EXPECT_FALSE(got);
    return got ? port::Failure::other : got.error().failure;
  };
  const agentd_answer no_reason{sizeof(agentd_answer), 9, {}, {}, nullptr, 0, nullptr, {}}, bad_extra{sizeof(agentd_answer), 0, {}, str("{"), nullptr, 0, nullptr, {}},
      no_calls{sizeof(agentd_answer), 0, {}, {}, nullptr, 3, nullptr, {}}, small{8, 0, {}, {}, nullptr, 0, nullptr, {}};
  for (const auto* a : {static_cast<const agentd_answer*>(nullptr), &no_reason, &bad_extra, &no_calls, &small}) EXPECT_EQ(answer_with(a), port::Failure::answer);
}

TEST(ProviderPort, SaysWhatItDoesNotTakeInAnAnswer) {
  ProviderHouse house;
  const auto said = [&](const agentd_answer& a) {
    house.model.on_complete = [&house, &a](const agentd_completion& c) { house.model.completions().answer(house.model.host, c.op, &a); };
    const auto got = house.complete();
    return got ? std::string() : got.error().message;
  };
  const agentd_tool_request call{sizeof call, 0, str("id"), str("area"), str("{}")}, broken{};
  const std::vector<const agentd_tool_request*> calls(1025, &call);
  const auto* const no_call = &broken;
  EXPECT_EQ(said({sizeof(agentd_answer), 0, {}, {}, calls.data(), 1024, nullptr, {}}), "");
  EXPECT_TRUE(said({sizeof(agentd_answer), 0, {}, {}, calls.data(), 1025, nullptr, {}}).ends_with("gave an answer with 1025 tool calls; at most 1024 are taken"));
  EXPECT_TRUE(said({sizeof(agentd_answer), 0, {}, {}, &no_call, 1, nullptr, {}}).ends_with("gave a malformed tool call"));
  EXPECT_TRUE(said({sizeof(agentd_answer), 9, {}, {}, nullptr, 0, nullptr, {}}).ends_with("gave an answer with a finish reason that does not exist: 9"));
  EXPECT_TRUE(said({sizeof(agentd_answer), 0, {}, str("{"), nullptr, 0, nullptr, {}}).ends_with("gave an answer whose extra is not JSON"));
}

TEST(ProviderPort, TakesFourMebibytesInAnAnswerAndNoMore) {
  ProviderHouse house;
  constexpr std::size_t kMost = 4 << 20;
  // The parts of an answer that are so long; they count together.
  const auto takes = [&](std::size_t text, std::size_t arguments, std::size_t extra) {
    const std::string said(text, 'x'), wanted(arguments, ' '), kept = extra > 0 ? '"' + std::string(extra - 2, 'e') + '"' : "";
    const agentd_tool_request call{sizeof call, 0, {}, {}, str(wanted)};
    const agentd_tool_request* const calls[] = {&call};
    const agentd_answer a{sizeof a, AGENTD_FINISH_STOP, str(said), str(kept), calls, 1, nullptr, {}};
    house.model.on_complete = [&house, &a](const agentd_completion& c) { house.model.completions().answer(house.model.host, c.op, &a); };
    const auto got = house.complete();
    if (got) return true;
    EXPECT_EQ(got.error().failure, port::Failure::answer);
    EXPECT_EQ(got.error().status, port::Status::terminal) << "buying it again would not make it shorter";
    EXPECT_TRUE(got.error().message.contains("gave an answer of more than 4 MiB")) << got.error().message;
    return false;
  };
  EXPECT_TRUE(takes(kMost, 0, 0));
  EXPECT_TRUE(takes(kMost - 200, 100, 100));
  EXPECT_FALSE(takes(kMost + 1, 0, 0));
  EXPECT_FALSE(takes(0, kMost + 1, 0));
  EXPECT_FALSE(takes(0, 0, kMost + 1));
  EXPECT_FALSE(takes(kMost - 199, 100, 100));
  const agentd_answer lie{sizeof lie, AGENTD_FINISH_STOP, {"x", UINT64_MAX}, {"x", 2}, nullptr, 0, nullptr, {}};
  house.model.on_complete = [&](const agentd_completion& c) { house.model.completions().answer(house.model.host, c.op, &lie); };
  EXPECT_FALSE(house.complete());
}

TEST(ProviderPort, StopsTellingThoseWhoListenWhatWillBeRefused) {
  ProviderHouse house;
  std::size_t heard = 0;
  house.model.on_complete = [&](const agentd_completion& c) {
    const std::string mebibyte(1 << 20, 'x');
    for (int i = 0; i < 6; ++i) house.model.emit(c.op, mebibyte);
    const agentd_answer a{sizeof a, AGENTD_FINISH_STOP, str("short after all"), {}, nullptr, 0, nullptr, {}};
    house.model.completions().answer(house.model.host, c.op, &a);
  };
  EXPECT_TRUE(house.complete({.listen = [&](const port::Delta& delta) { heard += delta.text.size(); }}));
  EXPECT_EQ(heard, std::size_t{4} << 20);
}

TEST(ProviderPort, IsNotSatisfiedWithAFinish) {
  ProviderHouse house;
  house.model.on_complete = [&](const agentd_completion& c) { house.model.finish(c.op, AGENTD_OK, "{}"); };
  const auto got = house.complete();
  ASSERT_FALSE(got);
  EXPECT_NE(got.error().message.find("finished without an answer"), std::string::npos);
}

TEST(ProviderPort, TakesAnAnswerThatCameAfterTheStop) {
  ProviderHouse house;
  std::stop_source stop;
  house.model.on_complete = [&](const agentd_completion& c) {
    stop.request_stop();
    house.world.after(1s, [&house, op = c.op] {
      EXPECT_NE(house.model.emit(op, "x"), AGENTD_OK);  // stop and finish
      const agentd_answer a{sizeof a, AGENTD_FINISH_STOP, str("Paid for"), {}, nullptr, 0, nullptr, {}};
      EXPECT_EQ(house.model.completions().answer(house.model.host, op, &a), AGENTD_OK);
    });
  };
  const auto got = house.world.run(house.provider->complete({.timeout = 60s}, stop.get_token()));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->text, "Paid for");
}

TEST(ProviderPort, SaysThatACompletionTimedOut) {
  ProviderHouse house;
  const std::pair<std::int32_t, std::int32_t> ends[] = {{AGENTD_UNKNOWN_OUTCOME, AGENTD_FAILURE_ANSWER}, {AGENTD_CANCELLED, AGENTD_FAILURE_OTHER}};
  for (const auto& [status, failure] : ends) {
    house.model.on_complete = [&](const agentd_completion& c) {
      house.world.after(60'500ms, [&house, op = c.op, status, failure] {
        const agentd_result r{sizeof r, status, str("cancelled"), -1};
        house.model.completions().fail(house.model.host, op, &r, failure);
      });
    };
    const auto got = house.world.run(house.provider->complete({.timeout = 60s}, {}));
    ASSERT_FALSE(got);
    EXPECT_TRUE(got.error().message.ends_with("timed out: no whole answer within 1m")) << got.error().message;
    EXPECT_EQ(got.error().failure, status == AGENTD_CANCELLED ? port::Failure::other : port::Failure::answer) << "what did not happen costs nothing";
  }
}

TEST(ProviderPort, CannotBeReachedThroughAnAbandonedCompletion) {
  ProviderHouse house;
  agentd_op kept = 0;
  house.model.on_complete = [&](const agentd_completion& c) { kept = c.op; };
  const auto got = house.complete({.listen = [](const port::Delta&) { FAIL(); }});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().status, Status::unknown_outcome);
  EXPECT_EQ(got.error().failure, port::Failure::answer) << "it may be charged for";
  EXPECT_EQ(house.model.emit(kept, "late"), AGENTD_STALE);
  house.model.finish(kept);
  house.world.settle();
}

using Embedded = std::expected<port::Embedded, port::ModelError>;

Embedded embed(ProviderHouse& house, std::vector<std::string> texts, Millis timeout = 60s) {
  return house.world.run(house.provider->embed({.model = "small", .texts = std::move(texts), .timeout = timeout}, {}));
}

// Answers with these values, as so many vectors of so many dimensions.
void gives(ProviderHouse& house, std::vector<float> values, std::uint64_t dimensions, std::uint64_t count) {
  house.model.on_embed = [&house, values = std::move(values), dimensions, count](const agentd_embed& e) {
    const agentd_vectors v{sizeof v, 0, values.data(), dimensions, count, nullptr, {}};
    EXPECT_EQ(house.model.completions().embedded(house.model.host, e.op, &v), AGENTD_OK);
  };
}

TEST(ProviderPort, EmbedsTexts) {
  ProviderHouse house;
  EXPECT_TRUE(house.provider->embeds());
  house.model.on_embed = [&](const agentd_embed& e) {
    EXPECT_EQ(view(e.model), "small");
    EXPECT_EQ(e.timeout_ms, 60'000);
    ASSERT_EQ(e.text_count, 2u);
    EXPECT_EQ(view(e.texts[0]), "apples");
    EXPECT_EQ(view(e.texts[1]), "pears");
    const float values[] = {1, 0, 0.5, -0.5};
    const agentd_usage usage{sizeof usage, 0, 7, -1, -1, -1, -3};
    const agentd_vectors v{sizeof v, 0, values, 2, 2, &usage, str("small-2")};
    EXPECT_EQ(house.model.completions().embedded(house.model.host, e.op, &v), AGENTD_OK);
    EXPECT_EQ(house.model.completions().embedded(house.model.host, e.op, &v), AGENTD_STALE);
  };
  const auto got = embed(house, {"apples", "pears"});
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->vectors, (std::vector<std::vector<float>>{{1, 0}, {0.5, -0.5}}));
  EXPECT_EQ(got->usage->input_tokens, 7);
  EXPECT_EQ(got->usage->reasoning_tokens, -1);
  EXPECT_EQ(got->model, "small-2");
  house.model.on_embed = [](const agentd_embed&) { FAIL() << "nothing was to be embedded"; };
  EXPECT_TRUE(embed(house, {})->vectors.empty());
}

TEST(ProviderPort, SaysWhetherItEmbeds) {
  House house;
  Model model;
  model.table.embed = nullptr;
  const auto provider = std::move(*house.world.run(open_provider(house.instances, model.found(AGENTD_PROVIDER_1, model.table), "plain", model.settings(), 1)));
  EXPECT_FALSE(provider->embeds());
  const auto got = house.world.run(provider->embed({.texts = {"apples"}, .timeout = 5s}, {}));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().status, Status::terminal);
  EXPECT_EQ(got.error().message, "provider \"plain\" turns no texts into vectors");
}

TEST(ProviderPort, DoesNotBelieveVectorsThatNobodyCouldCompare) {
  ProviderHouse house;
  const auto refused = [&](std::vector<float> values, std::uint64_t dimensions, std::uint64_t count, const char* says) {
    gives(house, std::move(values), dimensions, count);
    const auto got = embed(house, {"apples", "pears"});
    ASSERT_FALSE(got) << says;
    EXPECT_EQ(got.error().failure, port::Failure::answer);
    EXPECT_TRUE(got.error().message.ends_with(says)) << got.error().message;
  };
  refused({1, 2}, 2, 1, "gave 1 vectors for 2 texts");
  refused({1, 2, 3}, 1, 3, "gave 3 vectors for 2 texts");
  refused({1}, 1, UINT64_MAX, "gave 18446744073709551615 vectors for 2 texts");
  refused({}, 0, 2, "gave a vector without dimensions");
  refused({1}, 16'385, 2, "gave a vector of 16385 dimensions; at most 16384 are taken");
  refused({1}, UINT64_MAX, 2, "of 18446744073709551615 dimensions; at most 16384 are taken");
  refused({1, 1, 1, std::numeric_limits<float>::quiet_NaN()}, 2, 2, "gave a vector with a value that is not finite");
  refused({1, std::numeric_limits<float>::infinity(), 1, 1}, 2, 2, "gave a vector with a value that is not finite");
  refused({1, 1, 0, 0}, 2, 2, "gave a vector of zeros, which points nowhere");
  const std::vector<float> most(std::size_t{2} * 16'384, 0.5);
  gives(house, most, 16'384, 2);
  EXPECT_TRUE(embed(house, {"apples", "pears"}));

  const agentd_vectors small{8, 0, most.data(), 1, 2, nullptr, {}}, none{sizeof none, 0, nullptr, 1, 2, nullptr, {}}, nameless{sizeof nameless, 0, most.data(), 1, 2, nullptr, {nullptr, 3}};
  for (const auto* v : {static_cast<const agentd_vectors*>(nullptr), &small, &none, &nameless}) {
    house.model.on_embed = [&house, v](const agentd_embed& e) { house.model.completions().embedded(house.model.host, e.op, v); };
    const auto got = embed(house, {"apples", "pears"});
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().failure, port::Failure::answer);
    EXPECT_TRUE(got.error().message.ends_with("gave malformed vectors")) << got.error().message;
  }
}

TEST(ProviderPort, ClassesAFailureOfAnEmbedding) {
  ProviderHouse house;
  house.model.on_embed = [&](const agentd_embed& e) {
    const agentd_result r{sizeof r, AGENTD_RETRYABLE, str("429"), 1500};
    house.model.completions().fail(house.model.host, e.op, &r, AGENTD_FAILURE_RATE);
  };
  const auto got = embed(house, {"apples"});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().status, Status::retryable);
  EXPECT_EQ(got.error().failure, port::Failure::rate);
  EXPECT_EQ(got.error().retry_after, 1500ms);
}

TEST(ProviderPort, TakesNoAnswerForVectorsAndNoVectorsForAnAnswer) {
  ProviderHouse house;
  const float values[] = {1};
  const agentd_vectors v{sizeof v, 0, values, 1, 1, nullptr, {}};
  const agentd_answer a{sizeof a, AGENTD_FINISH_STOP, str("Hello"), {}, nullptr, 0, nullptr, {}};
  house.model.on_embed = [&](const agentd_embed& e) { house.model.completions().answer(house.model.host, e.op, &a); };
  house.model.on_complete = [&](const agentd_completion& c) { house.model.completions().embedded(house.model.host, c.op, &v); };
  const auto vectors = embed(house, {"apples"});
  ASSERT_FALSE(vectors);
  EXPECT_TRUE(vectors.error().message.ends_with("finished without vectors")) << vectors.error().message;
  EXPECT_FALSE(house.complete());
}

TEST(ProviderPort, EmbedsInThePlacesThatItHas) {
  ProviderHouse house(1);
  agentd_op kept = 0;
  house.model.on_complete = [&](const agentd_completion& c) { kept = c.op; };
  auto complete = [](port::Provider& provider) -> Async<void> {
    auto completing = provider.complete({.timeout = 60s}, {});
    co_await std::move(completing);
  };
  spawn(house.world.io().get_executor(), complete(*house.provider));
  house.world.settle();
  gives(house, {1}, 1, 1);
  const auto got = embed(house, {"apples"}, 5s);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().message, "no place came free in provider \"openai\", which takes 1 requests at once");
  house.model.finish(kept);
  house.world.settle();
  EXPECT_TRUE(embed(house, {"apples"}));
}

// ---- memory

struct Shelf : Part<agentd_memory_v1> {
  std::function<void(const agentd_memory_query&)> on_query;
  std::function<void(const agentd_memory_put&)> on_put = [](const agentd_memory_put&) {};
  std::uint64_t kept = 0;
  static Shelf& me(void* self) { return static_cast<Shelf&>(of(self)); }
  static void put(void* self, const agentd_memory_put* p) {
    me(self).on_put(*p);
    if (view(p->entries[0]->text) == "never") return;
    me(self).kept += p->count;
    me(self).finish(p->op, view(p->entries[0]->text) == "no" ? AGENTD_RETRYABLE : AGENTD_OK, view(p->entries[0]->text) == "no" ? "busy" : "");
  }
  static void query(void* self, const agentd_memory_query* q) { me(self).on_query(*q); }
  agentd_memory_v1 table{create, destroy, put, query, query, query, nullptr};
  std::int32_t give(agentd_op op, std::string_view agent, std::string_view text, std::string_view json = "{}") const {
    const agentd_memory_entry e{sizeof e, AGENTD_MEMORY_EPISODIC, str(agent), {}, str("id"), str(text), str(json), 5, 9, 0.5, nullptr, 0, {}};
    const agentd_memory_entry* const list[] = {&e};
    return service<agentd_host_memories_v1>(AGENTD_HOST_MEMORIES_1)->entries(host, op, list, 1);
  }
};

struct MemoryHouse : House {
  Shelf shelf;
  std::unique_ptr<port::MemoryStore> memory;
  ~MemoryHouse() { close(); }
  explicit MemoryHouse(std::uint32_t flags = 0) {
    memory = std::move(*world.run(open_memory(instances, shelf.found(AGENTD_MEMORY_1, shelf.table, flags), "local", shelf.settings())));
  }
};

TEST(MemoryPort, PutsListsAndRemoves) {
  MemoryHouse house;
  std::vector<port::MemoryEntry> entries(3);
  EXPECT_TRUE(house.world.run(house.memory->put(entries, 5s)));
  EXPECT_EQ(house.shelf.kept, 3u);
  entries[0].text = "no";
  EXPECT_EQ(house.world.run(house.memory->put(entries, 5s)).error().error_class, ErrorClass::retryable);

  house.shelf.on_query = [&](const agentd_memory_query& q) {
    EXPECT_EQ(q.limit, 2u);
    EXPECT_EQ(house.shelf.give(q.op, "a", "one"), AGENTD_OK);
    EXPECT_EQ(house.shelf.give(q.op, "a", "two"), AGENTD_OK);
    EXPECT_NE(house.shelf.give(q.op, "a", "three"), AGENTD_OK);  // more than asked for: stop
    house.shelf.finish(q.op);
  };
  const auto list = house.world.run(house.memory->list({.agent_id = "a", .limit = 2}));
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 2u);
  EXPECT_EQ(list->at(1).text, "two");
  EXPECT_EQ(list->at(1).position, 9u);
  EXPECT_EQ(list->at(1).created, Instant(5ms));

  house.shelf.on_query = [&](const agentd_memory_query& q) { house.shelf.finish(q.op, AGENTD_OK, "41"); };
  EXPECT_EQ(house.world.run(house.memory->remove({.agent_id = "a"})).value(), 41u);
  house.shelf.on_query = [&](const agentd_memory_query& q) { house.shelf.finish(q.op, AGENTD_OK, "\"many\""); };
  EXPECT_FALSE(house.world.run(house.memory->remove({.agent_id = "a"})));
}

TEST(MemoryPort, WaitsForAPutAsLongAsItsCallerCanAndNoLonger) {
  const LeftBehind on_purpose;
  MemoryHouse house;
  std::vector<port::MemoryEntry> entries(1);
  entries[0].text = "never";
  const auto waited_for = [&](Millis timeout) {
    const auto before = house.world.now();
    EXPECT_FALSE(house.world.run(house.memory->put(entries, timeout)));
    return house.world.now() - before;
  };
  EXPECT_LT(waited_for(2s), 10s);
  EXPECT_LT(waited_for(1h), 1min);
}

TEST(MemoryPort, RefusesWhatBelongsToAnotherAgent) {
  MemoryHouse house;
  house.shelf.on_query = [&](const agentd_memory_query& q) {
    house.shelf.give(q.op, "b", "secret");
    house.shelf.finish(q.op);
  };
  const auto found = house.world.run(house.memory->search({.agent_id = "a", .text = "x"}));
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().message.find("plugin \"acme\" answered with an entry of another agent"), std::string::npos);
}

port::MemoryEntry placed(std::vector<float> vector, std::string space = "small") {
  port::MemoryEntry e;
  e.id = "1";
  e.vector = std::move(vector);
  e.space = std::move(space);
  return e;
}

TEST(MemoryPort, SendsVectorsToAStoreThatKeepsThem) {
  MemoryHouse house(AGENTD_VECTORS);
  EXPECT_TRUE(house.memory->has_vectors());
  house.shelf.on_put = [](const agentd_memory_put& p) {
    ASSERT_EQ(p.count, 2u);
    ASSERT_EQ(p.entries[0]->dimensions, 2u);
    EXPECT_EQ(p.entries[0]->vector[1], -0.5F);
    EXPECT_EQ(view(p.entries[0]->space), "small");
    EXPECT_EQ(p.entries[1]->vector, nullptr);
    EXPECT_EQ(p.entries[1]->dimensions, 0u);
    EXPECT_EQ(p.entries[1]->space.size, 0u);
  };
  EXPECT_TRUE(house.world.run(house.memory->put({placed({1, -0.5}), {}}, 5s)));
  house.shelf.on_query = [&](const agentd_memory_query& q) {
    EXPECT_EQ(q.dimensions, 3u);
    EXPECT_EQ(q.vector[2], 3.0F);
    EXPECT_EQ(view(q.space), "small");
    house.shelf.give(q.op, "a", "one");
    house.shelf.finish(q.op);
  };
  const auto found = house.world.run(house.memory->search({.agent_id = "a", .vector = {1, 2, 3}, .space = "small"}));
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_TRUE(found->at(0).vector.empty());
  house.shelf.on_query = [&](const agentd_memory_query& q) {
    EXPECT_EQ(q.vector, nullptr);
    EXPECT_EQ(q.dimensions, 0u);
    house.shelf.finish(q.op);
  };
  EXPECT_TRUE(house.world.run(house.memory->search({.agent_id = "a", .text = "one"})));
}

TEST(MemoryPort, RefusesVectorsThatNobodyCouldCompare) {
  MemoryHouse house(AGENTD_VECTORS);
  house.shelf.on_query = [](const agentd_memory_query&) { FAIL() << "it reached the plugin"; };
  const auto refused = [&](std::vector<float> vector, std::string space, const std::string& says) {
    const auto put = house.world.run(house.memory->put({{}, placed(vector, space)}, 5s));
    ASSERT_FALSE(put) << says;
    EXPECT_EQ(put.error().message, "entry \"1\" has " + says);
    EXPECT_EQ(put.error().error_class, ErrorClass::terminal);
    const auto found = house.world.run(house.memory->search({.agent_id = "a", .vector = vector, .space = space}));
    ASSERT_FALSE(found) << says;
    EXPECT_EQ(found.error().message, "the search has " + says);
  };
  refused({1}, "", "a vector of no space");
  refused({0, 0}, "small", "a vector of zeros, which points nowhere");
  refused({1, std::numeric_limits<float>::quiet_NaN()}, "small", "a vector with a value that is not finite");
  refused({1, -std::numeric_limits<float>::infinity()}, "small", "a vector with a value that is not finite");
  refused(std::vector<float>(16'385, 1), "small", "a vector of 16385 dimensions; at most 16384 are taken");
  EXPECT_EQ(house.shelf.kept, 0u);
  EXPECT_TRUE(house.world.run(house.memory->put({placed(std::vector<float>(16'384, 1))}, 5s)));
}

TEST(MemoryPort, SendsNoVectorsToAStoreWithoutThem) {
  MemoryHouse house;
  EXPECT_FALSE(house.memory->has_vectors());
  house.shelf.on_query = [](const agentd_memory_query&) { FAIL() << "it reached the plugin"; };
  const std::string says = "a vector, and instance \"local\" of plugin \"acme\" keeps none";
  EXPECT_EQ(house.world.run(house.memory->put({placed({1})}, 5s)).error().message, "entry \"1\" has " + says);
  EXPECT_EQ(house.world.run(house.memory->search({.agent_id = "a", .vector = {1}, .space = "small"})).error().message, "the search has " + says);
  EXPECT_EQ(house.shelf.kept, 0u);
}

// ---- events

struct Copies : Part<agentd_events_v1> {
  std::vector<agentd_op> open;
  std::vector<std::string> ids;
  static void append(void* self, const agentd_event_batch* b) {
    auto& me = static_cast<Copies&>(of(self));
    for (std::uint64_t i = 0; i < b->count; ++i) me.ids.emplace_back(view(b->events[i]->id));
    me.open.push_back(b->op);
  }
  agentd_events_v1 table{create, destroy, append, nullptr};
};

TEST(EventsPort, SendsOneBatchAtATime) {
  Copies copies;
  House house;
  auto events = house.world.run(open_events(house.instances, copies.found(AGENTD_EVENTS_1, copies.table), "log", copies.settings()));
  ASSERT_TRUE(events);
  std::vector<Result<void>> ends;
  auto send = [](port::EventStore& store, std::string id, std::vector<Result<void>>& out) -> Async<void> {
    std::vector<port::Event> batch(1);
    batch[0].id = std::move(id);
    auto appending = store.append(std::move(batch));
    out.push_back(co_await std::move(appending));
  };
  spawn(house.world.io().get_executor(), send(**events, "1", ends));
  spawn(house.world.io().get_executor(), send(**events, "2", ends));
  house.world.settle();
  EXPECT_EQ(copies.ids, std::vector<std::string>{"1"});
  copies.finish(copies.open[0], AGENTD_RETRYABLE, "disk");
  house.world.settle();
  EXPECT_EQ(copies.ids.size(), 2u);
  copies.finish(copies.open[1]);
  house.world.settle();
  ASSERT_EQ(ends.size(), 2u);
  EXPECT_EQ(ends[0].error().error_class, ErrorClass::retryable);
  EXPECT_TRUE(ends[1]);
}

}  // namespace
}  // namespace agentd::plugin::test
