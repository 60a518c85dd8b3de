#include "host/run_waits.hpp"

#include <gtest/gtest.h>

namespace agentd::host {
namespace {

const event::Fault kRefused{ErrorClass::retryable, "could not connect to 127.0.0.1:9"};

TEST(WaitText, SaysOfACallWhatFailedAndWhenItIsMadeAgain) {
  event::CallFailed failed{.step = 1, .provider = "openai", .model = "m", .fault = kRefused, .tries = 1, .retry_after_ms = 562};
  EXPECT_EQ(wait_text(failed, 4),
            "no answer from the provider openai: could not connect to 127.0.0.1:9; trying again in 0.6 s, try 2 of 4");
  failed.retry_after_ms = 8000;
  EXPECT_TRUE(wait_text(failed, 4)->contains("in 8 s, try 2"));
  failed.retry_after_ms = -1;
  EXPECT_EQ(wait_text(failed, 4), std::nullopt) << "the next record tells";
}

TEST(WaitText, SaysOfAnAttemptHowManyThereAre) {
  const event::Waiting waiting{
      .delay_ms = 60'000, .reason = "the attempt failed", .fault = kRefused, .attempt = 2, .ends_attempt = true};
  EXPECT_EQ(wait_text(waiting, 4),
            "attempt 1 of 4 failed: could not connect to 127.0.0.1:9; trying again in 60 s, attempt 2 of 4");
}

TEST(WaitText, SaysWhatElseIsWaitedFor) {
  const event::Fault key{ErrorClass::retryable, "HTTP 401"};
  EXPECT_EQ(
      wait_text(
          event::Waiting{
              .what = event::Waiting::For::provider, .delay_ms = 150'000, .reason = "the provider openai is down", .fault = key},
          4),
      "the provider openai is down: HTTP 401; trying again in 2m30s");
  EXPECT_EQ(wait_text(event::Started{}, 4), std::nullopt);
}

TEST(DenialText, SaysThatThisCommandCannotAsk) {
  event::ToolFinished finished{.tool = "fs.write_file", .outcome = event::ToolOutcome::denied};
  EXPECT_EQ(denial_text(finished),
            "fs.write_file was not called: it is in tools.ask, and `agentd run` cannot ask a person; `agentd serve` can");
  finished.outcome = event::ToolOutcome::ok;
  EXPECT_EQ(denial_text(finished), std::nullopt);
}

}  // namespace
}  // namespace agentd::host
