// Runs that wait for people.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/tool/arguments_hash.hpp"
#include "tests/support/bench/bench.hpp"

namespace agentd::run {
namespace {

using namespace std::chrono_literals;
using namespace support;
using event::Decided;
using event::ToolFinished;
using event::ToolOutcome;
using port::RunStatus;
using Why = NoDecision::Why;

const Word kYes{.approve = true, .by = "ops"};
const Word kNo{.by = "ops", .reason = "too dear"};

// One step: looks, and wants to pay; then it is done.
Scene payment(std::function<void(manifest::AgentSpec&)> more = {}) {
  auto thinking = calls({{"geometry.look", "{}"}, {"geometry.pay", R"({"n":1})"}});
  thinking.takes = 1s;
  return {.answers = {thinking, say("done")},
          .tools = {{.name = "look", .takes = 2s}, {.name = "pay", .effect = port::Effect::once, .takes = 3s}},
          .spec = [more](auto& spec) {
            spec.tools.ask = {"geometry.pay"};
            spec.tools.approval_timeout = 1h;
            if (more) more(spec);
          }};
}

Scene two_payments() {
  auto scene = payment();
  scene.answers.front() = calls({{"geometry.pay", R"({"n":1})"}, {"geometry.pay", R"({"n":2})"}});
  return scene;
}

// Its end nobody knows.
Scene lost_payment(manifest::OnUnknownOutcome policy) {
  auto scene = payment([policy](auto& spec) { spec.tools.ask.clear(), spec.tools.on_unknown_outcome = policy; });
  scene.answers.front() = call("geometry.pay", R"({"n":1})");
  scene.tools.back().takes = 1h;
  return scene;
}

std::vector<std::string> happened(Bench& bench, RunId run) {
  std::vector<std::string> calls;
  for (const auto& id : bench.toolset().happened) calls.push_back(id.substr(to_text(run).size()));
  return calls;
}

std::string told(const Bench& bench, RunId run, int index) {
  for (const auto& finished : bench.records<ToolFinished>(run))
    if (finished.index == index) return event::string_value(finished.content.text).value_or("");
  return {};
}

TEST(Approval, IsAskedForWhenAllElseOfTheStepHasEnded) {
  Bench bench(payment());
  const auto run = bench.ask();
  bench.pass(1min);
  EXPECT_EQ(bench.kinds(run), "0 1 2 3 5");
  EXPECT_EQ(bench.standing(run).status, RunStatus::waiting);
  EXPECT_EQ(bench.worker().in_flight(), 0) << "a parked run holds nothing";
  EXPECT_EQ(happened(bench, run), std::vector<std::string>{"/1/0"});
  const auto waiting = bench.records<event::Waiting>(run).front();
  EXPECT_EQ(waiting.what, event::Waiting::For::approval);
  ASSERT_EQ(waiting.questions.size(), 1);
  EXPECT_EQ(waiting.questions[0].tool, "geometry.pay");
  EXPECT_EQ(waiting.questions[0].index, 1);
  EXPECT_EQ(waiting.questions[0].arguments.text, R"({"n":1})");
  EXPECT_EQ(waiting.questions[0].arguments_hash, tool::arguments_hash(R"({ "n" : 1 })"));
  EXPECT_FALSE(bench.records<event::Answered>(run)[0].starts == (std::vector{0, 1}));
}

TEST(Approval, LetsTheCallBeMadeOnceWithADurableIntent) {
  Bench bench(payment());
  const auto run = bench.ask();
  bench.pass(1min);
  EXPECT_TRUE(bench.decide(run, 1, 1, kYes));
  EXPECT_EQ(bench.until_end(run).status, RunStatus::completed);
  EXPECT_EQ(bench.kinds(run), "0 1 2 3 5 8 1 3 7");
  EXPECT_EQ(happened(bench, run), (std::vector<std::string>{"/1/0", "/1/1"}));
  EXPECT_EQ(bench.records<event::Started>(run).back().starts.size(), 1);
  EXPECT_EQ(bench.records<Decided>(run).front().by, "ops");
}

TEST(Approval, DeniedIsToldToTheModelWithWhoAndWhy) {
  Bench bench(payment());
  const auto run = bench.ask();
  bench.pass(1min);
  EXPECT_TRUE(bench.decide(run, 1, 1, kNo));
  EXPECT_EQ(bench.until_end(run).status, RunStatus::completed);
  EXPECT_EQ(happened(bench, run).size(), 1);
  EXPECT_EQ(bench.records<ToolFinished>(run).back().outcome, ToolOutcome::denied);
  EXPECT_EQ(told(bench, run, 1), "denied by ops, who says: too dear; this call was not made");
}

TEST(Approval, ThatNobodyGivesInTimeIsADenial) {
  Bench bench(payment());
  const auto before = bench.world().now();
  const auto run = bench.ask();
  bench.pass(30min);
  bench.restart();  // the time goes on
  EXPECT_EQ(bench.until_end(run).status, RunStatus::completed);
  EXPECT_LE(bench.world().now() - before, 1h + 10s);
  EXPECT_EQ(bench.records<Decided>(run).front().what, Decided::What::timeout);
  EXPECT_EQ(told(bench, run, 1), "denied: nobody decided within 1h; this call was not made");
  EXPECT_EQ(happened(bench, run).size(), 1);
}

TEST(Approval, OfTwoCallsIsWaitedForAsAWhole) {
  Bench bench(two_payments());
  const auto run = bench.ask();
  bench.pass(1min);
  EXPECT_EQ(bench.open_questions(run).size(), 2);
  EXPECT_TRUE(bench.decide(run, 1, 1, kYes));
  bench.pass(1min);
  EXPECT_EQ(bench.standing(run).status, RunStatus::waiting);
  EXPECT_EQ(bench.open_questions(run).size(), 1);
  bench.restart();
  EXPECT_TRUE(bench.decide(run, 1, 0, kNo));
  EXPECT_EQ(bench.until_end(run).status, RunStatus::completed);
  EXPECT_EQ(happened(bench, run), std::vector<std::string>{"/1/1"});
  EXPECT_EQ(bench.kinds(run), "0 1 2 5 8 8 1 3 3 7");
}

TEST(Approval, OfOneCallStandsWhenTheOthersTimeIsOut) {
  Bench bench(two_payments());
  const auto run = bench.ask();
  bench.pass(1min);
  EXPECT_TRUE(bench.decide(run, 1, 0, kYes));
  EXPECT_EQ(bench.until_end(run).status, RunStatus::completed);
  EXPECT_EQ(happened(bench, run), std::vector<std::string>{"/1/0"});
  EXPECT_EQ(told(bench, run, 1), "denied: nobody decided within 1h; this call was not made");
}

using Answers = std::vector<std::optional<Why>>;

Async<void> say_so(Bench& bench, Answers& answers, CallPlace call, Word word) {
  const auto decided = co_await bench.decisions().decide(call, std::move(word));
  answers.push_back(decided ? std::nullopt : std::optional(decided.error().why));
}

TEST(Decision, TheFirstOneStands) {
  Bench bench(payment());
  const auto run = bench.ask();
  bench.pass(1min);
  Answers answers;
  for (const auto& word : {kYes, kNo, kYes}) spawn(bench.world().io().get_executor(), say_so(bench, answers, {run, 1, 1}, word));
  EXPECT_EQ(bench.until_end(run).status, RunStatus::completed);
  EXPECT_EQ(answers, (Answers{std::nullopt, Why::decided, Why::decided}));
  EXPECT_EQ(bench.records<Decided>(run).size(), 1);
  EXPECT_EQ(happened(bench, run).size(), 2);
  const auto late = bench.decide(run, 1, 1, kNo);
  ASSERT_FALSE(late);
  EXPECT_TRUE(late.error().message.starts_with("it was approved at 2026-01-01T00:01:0")) << late.error().message;
}

TEST(Decision, ThatComesTooLateOrForNothingIsRefused) {
  Bench bench(payment());
  const auto run = bench.ask();
  bench.pass(1min);
  const auto why = [&](CallPlace call, Word word) {
    return bench.decide(call.run, call.step, call.index, std::move(word)).error().why;
  };
  EXPECT_EQ(why({run, 1, 0}, kYes), Why::unknown) << "nobody was asked about it";
  EXPECT_EQ(why({run, 9, 1}, kYes), Why::unknown);
  EXPECT_EQ(why({{run.position, 8}, 1, 1}, kYes), Why::unknown);
  EXPECT_EQ(why({run, 1, 1}, {.approve = true, .arguments_hash = tool::arguments_hash(R"({"n":2})")}), Why::other_arguments);
  EXPECT_TRUE(*bench.world().run(bench.worker().cancel(run, "by hand")));
  EXPECT_EQ(why({run, 1, 1}, kYes), Why::over);
  EXPECT_TRUE(bench.records<Decided>(run).empty());
}

TEST(Decision, ThatComesWhenNobodyRanTheHostInTimeIsRefused) {
  Bench bench(payment());
  const auto run = bench.ask();
  bench.pass(1min);
  bench.ledger().serve("surveyor", false);
  bench.pass(2h);
  EXPECT_EQ(bench.decide(run, 1, 1, kYes).error().why, Why::over);
  bench.ledger().serve("surveyor", true);
  EXPECT_EQ(bench.until_end(run).status, RunStatus::completed);
  EXPECT_EQ(happened(bench, run).size(), 1);
}

TEST(Decision, AtTheLastMomentIsOneOfTheTwo) {
  Bench bench(payment());
  const auto run = bench.ask();
  bench.pass(1min);
  bench.pass(59min);  // its time is out within seconds
  bench.pass(2s + 999ms);
  ASSERT_EQ(bench.standing(run).status, RunStatus::waiting);
  const auto due = bench.world().now() + *bench.world().next_timer();
  Answers answers;
  while (bench.world().now() <= due) {  // before its time is out, at that moment, and after it
    spawn(bench.world().io().get_executor(), say_so(bench, answers, {run, 1, 1}, kNo));
    bench.pass(1ms);
  }
  bench.until_end(run);
  bench.pass(10s);
  EXPECT_EQ(std::ranges::count(answers, std::optional<Why>()), 1);
  EXPECT_EQ(bench.records<Decided>(run).size(), 1);
  EXPECT_EQ(happened(bench, run).size(), 1);
}

TEST(Decision, KeepsNoSecret) {
  auto scene = payment();
  scene.secret = "hunter2";
  Bench bench(std::move(scene));
  const auto run = bench.ask();
  bench.pass(1min);
  EXPECT_TRUE(bench.decide(run, 1, 1, {.by = "hunter2", .reason = "the key is hunter2"}));
  bench.until_end(run);
  for (const auto& record : bench.store().records_of(run)) EXPECT_FALSE(record.payload.contains("hunter2")) << record.payload;
}

TEST(Approval, WaitsCountForTheDeadlineButNotForTheTimeout) {
  Bench patient(payment([](auto& spec) { spec.task.timeout = 20s; }));
  const auto run = patient.ask();
  patient.pass(30min);
  EXPECT_TRUE(patient.decide(run, 1, 1, kYes));
  EXPECT_EQ(patient.until_end(run).status, RunStatus::completed);

  Bench urgent(payment([](auto& spec) { spec.task.deadline = 10min; }));
  const auto before = urgent.world().now();
  const auto late = urgent.ask();
  EXPECT_EQ(urgent.until_end(late).status, RunStatus::timed_out);
  EXPECT_EQ(urgent.world().now() - before, 10min);
  EXPECT_TRUE(urgent.records<Decided>(late).empty()) << "it is not the approval's time that is out";
}

TEST(Approval, IsNotAskedForInADryRun) {
  auto scene = payment([](auto& spec) { spec.tools.ask = {"*"}; });
  scene.dry_run = true;
  Bench bench(std::move(scene));
  const auto run = bench.ask();
  EXPECT_EQ(bench.until_end(run).status, RunStatus::completed);
  EXPECT_TRUE(bench.toolset().begun.empty());
  EXPECT_EQ(told(bench, run, 0), "dry run");
  EXPECT_EQ(told(bench, run, 1), "dry run");
}

TEST(Approval, IsADenialWhereThereIsNobodyToAsk) {
  auto scene = payment();
  scene.can_ask = false;
  Bench bench(std::move(scene));
  const auto run = bench.ask();
  EXPECT_EQ(bench.until_end(run).status, RunStatus::completed);
  EXPECT_EQ(happened(bench, run).size(), 1);
  EXPECT_EQ(told(bench, run, 1), "denied: this call needs a person's approval, and there is nobody to ask; it was not made");
}

TEST(Approval, IsNotAskedForArgumentsThatDoNotFit) {
  auto scene = payment();
  scene.tools.back().schema = R"({"type":"object","required":["sum"]})";
  Bench bench(std::move(scene));
  const auto run = bench.ask();
  EXPECT_EQ(bench.until_end(run).status, RunStatus::completed);
  EXPECT_TRUE(bench.records<event::Waiting>(run).empty());
}

// ---- the process dies

Standing with_a_person(Bench& bench, RunId run, const Word& word) {
  for (int round = 0; round < 30 && !port::is_final(bench.standing(run).status); ++round) {
    bench.pass(10s);
    for (const auto& asked : bench.open_questions(run)) bench.decide(run, asked.question.step, asked.question.index, word);
    if (bench.ledger().is_cut()) break;
  }
  return bench.standing(run);
}

TEST(Approval, SurvivesADeathAtEveryRecord) {
  for (const auto& word : {kYes, kNo}) {
    std::size_t records = 0;
    {
      Bench whole(two_payments());
      EXPECT_EQ(with_a_person(whole, whole.ask(), word).status, RunStatus::completed);
      records = whole.store().log.size();
    }
    ASSERT_GE(records, 9);
    for (std::size_t n = 2; n < records; ++n) {
      SCOPED_TRACE((word.approve ? "approved, death after record " : "denied, death after record ") + std::to_string(n));
      Bench bench(two_payments());
      bench.ledger().cut_after(n);
      const auto run = bench.ask();
      with_a_person(bench, run, word);
      ASSERT_TRUE(bench.ledger().is_cut());
      bench.restart();
      EXPECT_EQ(with_a_person(bench, run, word).status, RunStatus::completed);
      const auto made = happened(bench, run);
      for (const auto* call : {"/1/0", "/1/1"}) EXPECT_LE(std::ranges::count(made, call), word.approve ? 1 : 0) << call;
      if (bench.records<event::Started>(run).back().crashes == 0) EXPECT_EQ(made.size(), word.approve ? 2 : 0);
      for (int index : {0, 1})
        EXPECT_EQ(
            std::ranges::count_if(bench.records<Decided>(run), [index](const Decided& d) { return d.question.index == index; }),
            1);
    }
  }
}

TEST(Approval, ThatNobodyGivesSurvivesADeathAtEveryRecord) {
  std::size_t records = 0;
  {
    Bench whole(payment());
    whole.until_end(whole.ask());
    records = whole.store().log.size();
  }
  for (std::size_t n = 2; n < records; ++n) {
    SCOPED_TRACE("death after record " + std::to_string(n));
    Bench bench(payment());
    bench.ledger().cut_after(n);
    const auto run = bench.ask();
    bench.until_end(run);
    ASSERT_TRUE(bench.ledger().is_cut());
    bench.restart();
    EXPECT_EQ(bench.until_end(run).status, RunStatus::completed);
    EXPECT_TRUE(std::ranges::count(happened(bench, run), "/1/1") == 0);
    EXPECT_EQ(bench.records<Decided>(run).size(), 1);
  }
}

TEST(Approval, SurvivesEveryFailureOfTheLedger) {
  std::size_t operations = 0;
  {
    Bench whole(two_payments());
    with_a_person(whole, whole.ask(), kYes);
    operations = whole.ledger().operations();
  }
  using port::LedgerFault;
  for (const auto& failure : std::vector<LedgerFailure>{{LedgerFault::unavailable},
                                                        {LedgerFault::unknown_outcome, false},
                                                        {LedgerFault::unknown_outcome, true},
                                                        {LedgerFault::stale}})
    for (std::size_t n = 3; n <= operations; ++n) {
      SCOPED_TRACE("operation " + std::to_string(n) + " fails with " + std::to_string(static_cast<int>(failure.fault)) +
                   (failure.happened ? ", but happened" : ""));
      Bench bench(two_payments());
      bench.ledger().fail(n, failure);
      const auto run = bench.ask();
      EXPECT_EQ(with_a_person(bench, run, kYes).status, RunStatus::completed);
      const auto made = happened(bench, run);
      for (const auto* call : {"/1/0", "/1/1"}) EXPECT_LE(std::ranges::count(made, call), 1) << call;
    }
}

// ---- a call of unknown outcome

TEST(UnknownOutcome, AsksAPersonWhetherTheRunGoesOn) {
  Bench bench(lost_payment(manifest::OnUnknownOutcome::park));
  const auto run = bench.ask();
  bench.pass(5min);
  ASSERT_EQ(bench.open_questions(run).size(), 1);
  EXPECT_EQ(bench.open_questions(run)[0].question.about, event::Question::About::outcome);
  EXPECT_TRUE(bench.decide(run, 1, 0, kYes));
  EXPECT_EQ(bench.until_end(run).status, RunStatus::completed);
  EXPECT_TRUE(bench.provider().requests.back().messages.back().contains("unknown outcome"));
  EXPECT_EQ(bench.toolset().begun.size(), 1) << "it is not made again";
}

TEST(UnknownOutcome, FailsTheRunWhenAPersonSaysSoOrNobodyDoes) {
  for (const bool answered : {true, false}) {
    Bench bench(lost_payment(manifest::OnUnknownOutcome::park));
    const auto run = bench.ask();
    bench.pass(5min);
    if (answered) EXPECT_TRUE(bench.decide(run, 1, 0, kNo));
    const auto end = bench.until_end(run);
    EXPECT_EQ(end.status, RunStatus::failed);
    EXPECT_EQ(end.fault->error_class, ErrorClass::unknown_outcome);
    EXPECT_TRUE(end.fault->message.ends_with(answered ? "the run was given up by ops, who says: too dear"
                                                      : "nobody decided within 1h whether to go on"))
        << end.fault->message;
    EXPECT_EQ(bench.provider().requests.size(), 1);
  }
}

TEST(UnknownOutcome, OfACallThatWasApprovedIsAnotherQuestion) {
  for (const auto& word : {kYes, kNo}) {
    auto scene = lost_payment(manifest::OnUnknownOutcome::park);
    scene.spec = [](auto& spec) {
      spec.tools.ask = {"geometry.pay"}, spec.tools.on_unknown_outcome = manifest::OnUnknownOutcome::park;
    };
    Bench bench(std::move(scene));
    const auto run = bench.ask();
    bench.pass(1min);
    EXPECT_TRUE(bench.decide(run, 1, 0, kYes));
    bench.pass(5min);
    ASSERT_EQ(bench.open_questions(run).size(), 1);
    EXPECT_TRUE(bench.decide(run, 1, 0, word));
    EXPECT_EQ(bench.until_end(run).status, word.approve ? RunStatus::completed : RunStatus::failed);
    EXPECT_EQ(bench.toolset().begun.size(), 1);
  }
}

TEST(UnknownOutcome, ThatAPersonIsAskedAboutSurvivesADeathAtEveryRecord) {
  const auto scene = [] {
    auto s = lost_payment(manifest::OnUnknownOutcome::park);
    s.answers.front() = calls({{"geometry.pay", R"({"n":1})"}, {"geometry.look", "{}"}});
    return s;
  };
  std::size_t records = 0;
  {
    Bench whole(scene());
    EXPECT_EQ(with_a_person(whole, whole.ask(), kYes).status, RunStatus::completed);
    records = whole.store().log.size();
  }
  for (std::size_t n = 2; n < records; ++n) {
    SCOPED_TRACE("death after record " + std::to_string(n));
    Bench bench(scene());
    bench.ledger().cut_after(n);
    const auto run = bench.ask();
    with_a_person(bench, run, kYes);
    ASSERT_TRUE(bench.ledger().is_cut());
    bench.restart();
    EXPECT_EQ(with_a_person(bench, run, kYes).status, RunStatus::completed);
    EXPECT_LE(std::ranges::count(bench.toolset().begun, to_text(run) + "/1/0"), 1);
  }
}

TEST(UnknownOutcome, FailsTheRunWhereThereIsNobodyToAsk) {
  auto scene = lost_payment(manifest::OnUnknownOutcome::park);
  scene.can_ask = false;
  Bench bench(std::move(scene));
  const auto end = bench.run();
  EXPECT_EQ(end.status, RunStatus::failed);
  EXPECT_EQ(end.fault->error_class, ErrorClass::unknown_outcome);
}

TEST(CallId, IsTakenApart) {
  const RunId run{742, 7};
  EXPECT_EQ(parse_call_id(call_id(run, 3, 12)), (CallPlace{run, 3, 12}));
  for (const auto* bad : {"", "/", "//", "742-0000007", "742-0000007/1", "742-0000007/1/", "742-0000007/-1/0",
                          "742-0000007/1/0/2", "x/1/0", "742-0000007/1/0x"})
    EXPECT_FALSE(parse_call_id(bad)) << bad;
}

}  // namespace
}  // namespace agentd::run
