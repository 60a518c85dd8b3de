#include "core/plugin/instance.hpp"

#include "tests/unit/plugin/left_behind.hpp"
#include "tests/unit/plugin/stage.hpp"

namespace agentd::plugin::test {
namespace {

using port::Status;

TEST(Instance, AnswersACallThatFinishesInsideItsStart) {
  Stage stage;
  ASSERT_TRUE(stage.open());
  const auto got = stage.call([&](void* self, agentd_op op, std::int64_t) { EXPECT_EQ(static_cast<Actor*>(self)->finish(op, AGENTD_OK, "[1]"), AGENTD_OK); });
  EXPECT_EQ(got.status, Status::ok);
  EXPECT_EQ(got.value, "[1]");
  EXPECT_FALSE(stage.world.next_timer());  // no deadline is left behind
}

TEST(Instance, NeverResumesInsideThePluginsCall) {
  Stage stage;
  ASSERT_TRUE(stage.open());
  std::optional<port::Outcome> answer;
  agentd_op open = 0;
  stage.begin(answer, [&](void*, agentd_op op, std::int64_t) { open = op; });
  stage.cast.actor.finish(open);
  EXPECT_FALSE(answer);
  stage.world.settle();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->value, "null");  // an empty value is null
}

TEST(Instance, RefusesASecondFinishAndCountsIt) {
  Stage stage;
  ASSERT_TRUE(stage.open());
  std::int32_t second = 0;
  const auto got = stage.call([&](void*, agentd_op op, std::int64_t) {
    stage.cast.actor.finish(op, AGENTD_OK, "1");
    second = stage.cast.actor.finish(op, AGENTD_OK, "2");
  });
  EXPECT_EQ(got.value, "1");
  EXPECT_EQ(second, AGENTD_STALE);
  EXPECT_EQ(stage.cast.library.stale_finishes(), 1u);
}

TEST(Instance, RefusesAnOperationItNeverHad) {
  Stage stage;
  ASSERT_TRUE(stage.open());
  for (const agentd_op op : {agentd_op{0}, agentd_op{5}, ~agentd_op{0}, agentd_op{1} << 32}) EXPECT_EQ(stage.cast.actor.finish(op), AGENTD_STALE) << op;
  EXPECT_EQ(stage.cast.library.stale_finishes(), 4u);
}

TEST(Instance, AsksToStopAtTheDeadlineAndGivesUpAfterTheGrace) {
  Stage stage;
  ASSERT_TRUE(stage.open());
  std::vector<agentd_op> asked;
  stage.cast.actor.cancel = [&](agentd_op op) { asked.push_back(op); };
  agentd_op open = 0;
  const auto before = stage.world.tick();
  const auto got = stage.call([&](void*, agentd_op op, std::int64_t left) {
    EXPECT_EQ(left, 30'000);
    open = op;
  });
  EXPECT_EQ(got.status, Status::unknown_outcome);
  EXPECT_NE(got.value.find("did not answer by its deadline"), got.value.npos);
  EXPECT_EQ(stage.world.tick() - before, 35s);
  EXPECT_EQ(asked, std::vector{open});
  EXPECT_EQ(stage.cast.actor.finish(open), AGENTD_STALE);  // too late
  EXPECT_EQ(stage.cast.library.stale_finishes(), 1u);
}

TEST(Instance, TakesAnAnswerWithinTheGrace) {
  Stage stage;
  ASSERT_TRUE(stage.open());
  stage.cast.actor.cancel = [&](agentd_op op) { stage.cast.actor.finish(op, AGENTD_CANCELLED, "stopped"); };
  const auto got = stage.call([](void*, agentd_op, std::int64_t) {});
  EXPECT_EQ(got.status, Status::cancelled);
  EXPECT_EQ(got.value, "stopped");
}

TEST(Instance, PassesOnAStop) {
  Stage stage;
  ASSERT_TRUE(stage.open());
  const auto* ops = Actor::ops(stage.cast.actor.host);
  std::stop_source stop;
  std::optional<port::Outcome> answer;
  agentd_op open = 0;
  stage.begin(answer, [&](void*, agentd_op op, std::int64_t) { open = op; }, 30s, stop.get_token());
  EXPECT_EQ(ops->cancelled(stage.cast.actor.host, open), 0);
  EXPECT_EQ(ops->remaining_ms(stage.cast.actor.host, open), 30'000);
  int asked = 0;
  stage.cast.actor.cancel = [&](agentd_op) { ++asked; };
  stop.request_stop();
  EXPECT_EQ(asked, 1);
  EXPECT_NE(ops->cancelled(stage.cast.actor.host, open), 0);
  stage.cast.actor.finish(open, AGENTD_CANCELLED);
  stage.world.settle();
  EXPECT_EQ(answer->status, Status::cancelled);
  EXPECT_EQ(ops->remaining_ms(stage.cast.actor.host, open), 0);
}

TEST(Instance, LetsNobodyEndTheOperationOfAnother) {
  Cast other;  // libraries outlive instances
  Stage stage;
  ASSERT_TRUE(stage.open());
  auto opened = stage.world.run(
      stage.instances.open("two", other.library, other.component(), Cast::frame(), std::make_unique<Prompter>(other.actor), "{}"));
  ASSERT_TRUE(opened);
  std::optional<port::Outcome> answer;
  agentd_op open = 0;
  stage.begin(answer, [&](void*, agentd_op op, std::int64_t) { open = op; });
  EXPECT_EQ(other.actor.finish(open), AGENTD_STALE);
  EXPECT_EQ(stage.cast.actor.finish(open), AGENTD_OK);
  stage.world.settle();
  EXPECT_TRUE(answer);
}

struct Answer {
  std::int32_t status;
  std::string_view value;
  Status means;
  std::string_view says;
};
class Answers : public testing::TestWithParam<Answer> {};

TEST_P(Answers, AreLookedAtBeforeTheyAreBelieved) {
  Stage stage;
  ASSERT_TRUE(stage.open());
  const auto got = stage.call([&](void*, agentd_op op, std::int64_t) { stage.cast.actor.finish(op, GetParam().status, GetParam().value, 7); });
  EXPECT_EQ(got.status, GetParam().means);
  EXPECT_NE(got.value.find(GetParam().says), got.value.npos) << got.value;
  EXPECT_EQ(got.retry_after.has_value(), GetParam().status == AGENTD_RETRYABLE);
}

INSTANTIATE_TEST_SUITE_P(Of, Answers,
                         testing::Values(Answer{AGENTD_OK, "{\"a\":1}", Status::ok, "{\"a\":1}"}, Answer{AGENTD_OK, "{\"a\":1", Status::terminal, "plugin \"actors\""},
                                         Answer{AGENTD_OK, "1 2", Status::terminal, "not one JSON value"}, Answer{AGENTD_OK, "\"\xff\"", Status::terminal, "UTF-8"},
                                         Answer{AGENTD_OK, "{\"a\":1,\"a\":2}", Status::terminal, "not one JSON value"},
                                         Answer{AGENTD_TERMINAL, "no \xff", Status::terminal, "no \xef\xbf\xbd"}, Answer{AGENTD_RETRYABLE, "later", Status::retryable, "later"},
                                         Answer{AGENTD_UNKNOWN_OUTCOME, "?", Status::unknown_outcome, "?"}, Answer{AGENTD_STALE, "x", Status::terminal, "does not exist: 5"},
                                         Answer{-1, "x", Status::terminal, "does not exist: -1"}));

TEST(Instance, CatchesWhatAPluginThrows) {
  Stage stage;
  ASSERT_TRUE(stage.open());
  const auto out_of_start = stage.call([](void*, agentd_op, std::int64_t) { throw std::runtime_error("ouch"); });
  EXPECT_EQ(out_of_start.status, Status::terminal);
  EXPECT_NE(out_of_start.value.find("threw ouch out of a slot"), std::string::npos) << out_of_start.value;
  const auto out_of_a_body = stage.call([&](void*, agentd_op op, std::int64_t) { stage.cast.actor.submit(op, [] { throw 7; }); });
  EXPECT_EQ(out_of_a_body.status, Status::terminal);
  EXPECT_NE(out_of_a_body.value.find("out of a body"), std::string::npos) << out_of_a_body.value;
}

TEST(Create, ThatFailsGivesItsReason) {
  Stage stage;
  stage.cast.actor.create = [&](agentd_host*, agentd_op op, std::string settings) {
    EXPECT_EQ(settings, "{\"a\":1}");
    stage.cast.actor.finish(op, AGENTD_TERMINAL, "no such server");
  };
  const auto opened = stage.open("{\"a\":1}");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().message, "instance \"one\" of plugin \"actors\" cannot be created: no such server");
}

TEST(Create, ThatThrowsIsAFailure) {
  Stage stage;
  stage.cast.actor.create = [](agentd_host*, agentd_op, std::string) { throw std::runtime_error("ouch"); };
  const auto opened = stage.open();
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("threw ouch"), std::string::npos) << opened.error().message;
}

TEST(Create, ThatNeverAnswersIsGivenUp) {
  Stage stage;
  agentd_op kept = 0;
  stage.cast.actor.create = [&](agentd_host*, agentd_op op, std::string) { kept = op; };
  const auto opened = stage.open();
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("did not answer"), std::string::npos) << opened.error().message;
  EXPECT_EQ(Actor::ops(stage.cast.actor.host)->created(stage.cast.actor.host, kept, nullptr), AGENTD_STALE);
  stage.world.settle();
}

TEST(Create, ThatEndsWithoutAnInstanceIsAFailure) {
  Stage stage;
  stage.cast.actor.create = [&](agentd_host*, agentd_op op, std::string) { stage.cast.actor.finish(op, AGENTD_OK, "{}"); };
  EXPECT_FALSE(stage.open());
}

TEST(Create, IsNotTriedWithoutTheServicesThePluginRequires) {
  Stage stage;
  stage.cast.library.requires_services = {AGENTD_HOST_OPS_1, AGENTD_HOST_ASK_1};
  stage.cast.actor.create = [](agentd_host*, agentd_op, std::string) { FAIL(); };
  const auto opened = stage.open();
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("requires the service agentd.host.ask/1"), std::string::npos) << opened.error().message;
}

TEST(Create, IsNotTriedWithSettingsThatDoNotFit) {
  Stage stage;
  stage.cast.component().settings_schema = "{}";
  Instances strict(stage.world.world(), {},
                   {.make_workers = [&](const Library&) { return std::make_unique<InlineWorkers>(stage.world.world().executor); },
                    .check_settings = [](std::string_view, std::string_view) -> Result<void> { return fail("roots: expected an array"); }});
  stage.cast.actor.create = [](agentd_host*, agentd_op, std::string) { FAIL(); };
  const auto opened = stage.world.run(
      strict.open("one", stage.cast.library, stage.cast.component(), Cast::frame(), std::make_unique<Prompter>(stage.cast.actor), "{\"roots\":1}"));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().message, "roots: expected an array");
}

TEST(Call, ThatIsACreateInDisguiseFails) {
  Stage stage;
  ASSERT_TRUE(stage.open());
  const auto got = stage.call([&](void*, agentd_op op, std::int64_t) { Actor::ops(stage.cast.actor.host)->created(stage.cast.actor.host, op, nullptr); });
  EXPECT_EQ(got.status, Status::terminal);
}

TEST(Admission, WaitingCountsAgainstTheDeadline) {
  Stage stage(0, 1);
  ASSERT_TRUE(stage.open());
  std::optional<port::Outcome> first, second, third;
  agentd_op open = 0;
  stage.begin(first, [&](void*, agentd_op op, std::int64_t) { open = op; });
  stage.begin(second, [&](void*, agentd_op, std::int64_t) { FAIL() << "it found no place"; }, 10s);
  stage.begin(third, [&](void*, agentd_op op, std::int64_t left) {
    EXPECT_EQ(left, 15'000);
    stage.cast.actor.finish(op);
  }, 30s);
  stage.world.advance(10s);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->status, Status::retryable);
  stage.world.advance(5s);
  EXPECT_FALSE(third);
  stage.cast.actor.finish(open);
  stage.world.settle();
  EXPECT_TRUE(first);
  ASSERT_TRUE(third);
  EXPECT_EQ(third->status, Status::ok);
}

TEST(Admission, AStopLeavesTheQueue) {
  Stage stage(0, 1);
  ASSERT_TRUE(stage.open());
  std::optional<port::Outcome> first, second;
  agentd_op open = 0;
  std::stop_source stop;
  stage.begin(first, [&](void*, agentd_op op, std::int64_t) { open = op; });
  stage.begin(second, [](void*, agentd_op, std::int64_t) { FAIL(); }, 30s, stop.get_token());
  stop.request_stop();
  stage.world.settle();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->status, Status::cancelled);
  stage.cast.actor.finish(open);
  stage.world.settle();
  EXPECT_EQ(stage.cast.component().admission.taken(), 0u);
}

TEST(Close, WaitsForOperationsThatWereAbandoned) {
  Stage stage;
  ASSERT_TRUE(stage.open());
  agentd_op open = 0;
  EXPECT_EQ(stage.call([&](void*, agentd_op op, std::int64_t) { open = op; }).status, Status::unknown_outcome);
  bool destroyed = false;
  stage.cast.actor.destroy = [&](agentd_op op) {
    destroyed = true;
    stage.cast.actor.finish(op);
  };
  stage.world.after(3s, [&] {
    EXPECT_FALSE(destroyed);
    stage.cast.actor.finish(open);
  });
  EXPECT_TRUE(stage.world.run(stage.instances.close()).empty());
  EXPECT_TRUE(destroyed);
  EXPECT_EQ(stage.call([](void*, agentd_op, std::int64_t) { FAIL(); }).status, Status::terminal);
}

TEST(Close, LeavesAnInstanceWhoseOperationsNeverEnd) {
  const LeftBehind on_purpose;
  Stage stage;
  ASSERT_TRUE(stage.open());
  agentd_op open = 0;
  EXPECT_EQ(stage.call([&](void*, agentd_op op, std::int64_t) { open = op; }).status, Status::unknown_outcome);
  stage.cast.actor.destroy = [](agentd_op) { FAIL(); };
  const auto left = stage.world.run(stage.instances.close());
  ASSERT_EQ(left.size(), 1u);
  EXPECT_NE(left[0].find("1 operations have not ended"), std::string::npos) << left[0];
  EXPECT_EQ(stage.cast.actor.finish(open), AGENTD_STALE);  // and the host is still there to say so
  stage.world.settle();
}

}  // namespace
}  // namespace agentd::plugin::test
