// A secret that turns up anywhere is kept nowhere, and nobody who asks or answers reads it.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/json_text.hpp"
#include "tests/support/bench/bench.hpp"

namespace agentd::run {
namespace {

using namespace std::chrono_literals;
using namespace support;
using port::RunStatus;

const std::string kSecret = "sk-0123456789";

port::Outcome outcome(port::Status status, std::string value) { return {status, std::move(value), {}}; }

// Everything that a run leaves behind or gives to somebody.
std::string all_of(Bench& bench) {
  std::string all;
  for (const auto& record : bench.store().log) all += record.payload + '\n';
  for (const auto& [agent, stats] : bench.store().stats) all += stats.last_error + '\n';
  for (const auto& [agent, state] : bench.store().agent_states) all += state + '\n';
  for (const auto& request : bench.provider().requests)
    for (const auto& message : request.messages) all += message + '\n';
  for (const auto& entry : bench.memory().entries) all += entry.text + '\n' + entry.json + '\n';
  for (const auto& task : bench.task().runs) all += task.params + '\n';
  return all;
}

void expect_none_in(Bench& bench) {
  const auto all = all_of(bench);
  EXPECT_FALSE(all.contains(kSecret)) << all;
  EXPECT_TRUE(all.contains("[secret]")) << all;
}

struct Leak {
  const char* where;
  Scene scene;
  event::Entered entered{.trigger = "api"};
};

std::vector<Leak> leaks() {
  auto arguments = call("geometry.note", json_string(kSecret).insert(0, R"({"text":)") + '}');
  auto failing = say("ok");
  failing.failures = {port::ModelError{port::Status::terminal, port::Failure::other, "HTTP 400: " + kSecret + " is no key", {}}};
  auto refused = say("ok");
  refused.failures = {
      port::ModelError{port::Status::terminal, port::Failure::credentials, "HTTP 401: " + kSecret + " is no key", {}}};
  auto thinking = say("ok");
  thinking.answer.extra = R"({"thought":")" + kSecret + "\"}";
  FakeTool telling{.name = "note"}, failing_tool{.name = "note"}, unsure{.name = "note", .effect = port::Effect::once};
  telling.body = [](const port::ToolCall&) { return outcome(port::Status::ok, R"({"env":")" + kSecret + "\"}"); };
  failing_tool.body = [](const port::ToolCall&) { return outcome(port::Status::terminal, "cannot open /" + kSecret); };
  unsure.body = [](const port::ToolCall&) { return outcome(port::Status::unknown_outcome, "gone with " + kSecret); };
  const auto note = call("geometry.note", "{}");
  const auto learns = [](auto& spec) { spec.memory.window = 20; };
  return {
      {"the manifest's query", {.answers = {say("ok")}, .spec = [](auto& spec) { spec.task.query = "use " + kSecret; }}},
      {"the manifest's parameters",
       {.answers = {say("ok")}, .spec = [](auto& spec) { spec.task.params = R"({"k":")" + kSecret + "\"}"; }}},
      {"the system instruction",
       {.answers = {say("ok")}, .spec = [](auto& spec) { spec.system_instruction = "use " + kSecret; }}},
      {"a model's answer", {.answers = {say("it is " + kSecret)}, .spec = learns}},
      {"a model's thoughts", {.answers = {thinking}}},
      {"arguments", {.answers = {arguments, say("ok")}, .tools = {{.name = "note"}}}},
      {"a tool's name", {.answers = {call("geometry." + kSecret, "{}"), say("ok")}}},
      {"a tool's result", {.answers = {note, say("ok")}, .tools = {telling}}},
      {"a tool's error", {.answers = {note, say("ok")}, .tools = {failing_tool}}},
      {"a tool's unknown outcome", {.answers = {note, say("ok")}, .tools = {unsure}}},
      {"a provider's error", {.answers = {failing}}},
      {"a provider's refusal", {.answers = {refused}}},
  };
}

TEST(Secrets, AreKeptAndToldNowhere) {
  for (auto& leak : leaks()) {
    SCOPED_TRACE(leak.where);
    leak.scene.secret = kSecret;
    Bench bench(std::move(leak.scene));
    bench.until_end(bench.ask());
    expect_none_in(bench);
  }
}

TEST(Secrets, DoNotComeBackFromMemory) {
  Bench bench({.answers = {say("ok")}, .secret = kSecret});
  for (const auto* role : {"user", "assistant"}) {
    port::MemoryEntry entry;
    entry.agent_id = entry.session_id = "surveyor";
    entry.id = role;
    entry.json = R"({"role":")" + std::string(role) + R"(","content":")" + kSecret + "\"}";
    bench.memory().entries.push_back(std::move(entry));
  }
  bench.provider().recalled_answers = 1;
  bench.until_end(bench.ask());
  const auto& messages = bench.provider().requests.at(0).messages;
  EXPECT_EQ(std::ranges::count(messages, R"({"role":"user","content":"[secret]"})"), 1);
  for (const auto& message : messages) EXPECT_FALSE(message.contains(kSecret));
  for (const auto& record : bench.store().log) EXPECT_FALSE(record.payload.contains(kSecret));
}

TEST(Secrets, AreGoneFromWhatAToolIsGiven) {
  std::string given;
  FakeTool tool{.name = "note"};
  tool.body = [&given](const port::ToolCall& call) { return given = call.arguments, outcome(port::Status::ok, "1"); };
  Bench bench(
      {.answers = {call("geometry.note", R"({"text":")" + kSecret + "\"}"), say("ok")}, .tools = {tool}, .secret = kSecret});
  bench.run();
  EXPECT_EQ(given, R"({"text":"[secret]"})");
}

TEST(Secrets, AreNotHalfLeftWhereAResultIsShortened) {
  FakeTool tool{.name = "note"};
  tool.body = [](const port::ToolCall&) {
    return outcome(port::Status::ok, json_string("0123456789" + kSecret + std::string(100, '.')));
  };
  Bench bench({.answers = {call("geometry.note", "{}"), say("ok")},
               .tools = {tool},
               .spec = [](auto& spec) { spec.limits.tool_output_limit = 16; },
               .secret = kSecret});
  bench.run();
  const auto& told = bench.provider().requests.at(1).messages.back();
  EXPECT_TRUE(told.contains("0123456789[secre")) << told;
}

TEST(Secrets, OfANativeTaskAreGoneFromItsResultItsStateAndItsErrors) {
  for (const auto status : {port::Status::ok, port::Status::terminal}) {
    Bench bench(
        {.spec = [](auto& spec) { spec.task.params = R"({"k":")" + kSecret + "\"}"; }, .native = true, .secret = kSecret});
    bench.task().body = [status](const port::TaskRun&) {
      return outcome(status, status == port::Status::ok ? R"({"result":")" + kSecret + R"(","state":{"k":")" + kSecret + "\"}}"
                                                        : "refused " + kSecret);
    };
    bench.run();
    expect_none_in(bench);
  }
}

TEST(Secrets, AreGoneFromTheReasonOfACancel) {
  auto down = say("ok");
  down.failures = {bad_credentials()};
  Bench bench({.answers = {down}, .secret = kSecret});
  const auto run = bench.ask();
  bench.pass(1s);
  EXPECT_TRUE(*bench.world().run(bench.worker().cancel(run, "saw " + kSecret)));
  EXPECT_EQ(bench.until_end(run).reason, "saw [secret]");
}

// What the next worker rebuilds is what this one sent.
TEST(Secrets, LeaveRecordAndPromptAlike) {
  FakeTool tool{.name = "note"};
  tool.body = [](const port::ToolCall&) { return outcome(port::Status::ok, json_string("is " + kSecret)); };
  Bench bench(
      {.answers = {call("geometry.note", R"({"text":")" + kSecret + "\"}"), say("ok")}, .tools = {tool}, .secret = kSecret});
  const auto run = bench.ask({.trigger = "api", .query = "what is " + kSecret + "?", .params = {R"({"k":")" + kSecret + "\"}"}});
  bench.until_end(run);
  const auto state = fold(bench.store().records_of(run));
  ASSERT_TRUE(state);
  const auto& sent = bench.provider().requests.at(1).messages;
  for (std::size_t i = 1; i < sent.size(); ++i) EXPECT_EQ(sent[i], state->messages.at(i).json);
}

}  // namespace
}  // namespace agentd::run
