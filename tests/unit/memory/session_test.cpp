#include "core/memory/session.hpp"

#include <gtest/gtest.h>

#include "core/memory/recall.hpp"
#include "tests/support/bench/fake_plugins.hpp"

namespace agentd::memory {
namespace {

port::MemoryEntry said(std::string role, std::string text) { return {.json = R"({"role":")" + role + R"(","content":")" + text + "\"}"}; }

TEST(Window, IsOldestFirstAndBeginsWithTheUser) {
  // newest first, as stores give it
  const auto messages = window({said("assistant", "d"), said("user", "c"), said("assistant", "b")}, 0);
  ASSERT_EQ(messages.size(), 2);
  EXPECT_EQ(messages[0].text, R"({"role":"user","content":"c"})");
  EXPECT_EQ(messages[1].text, R"({"role":"assistant","content":"d"})");
}

TEST(Window, KeepsTheNewestThatFitItsTokens) {
  const auto one = estimated_tokens(said("user", "12345678").json);
  const std::vector<port::MemoryEntry> all = {said("user", "33333333"), said("user", "22222222"), said("user", "11111111")};
  EXPECT_EQ(window(all, 2 * one).size(), 2);
  EXPECT_EQ(window(all, 2 * one - 1).size(), 1);
  EXPECT_TRUE(window(all, 2 * one - 1)[0].text.contains("33333333"));
  EXPECT_EQ(window(all, 0).size(), 3);
  EXPECT_TRUE(window({}, 0).empty());
}

TEST(Window, CountsTokensAsTheModelDoes) {
  const std::vector<port::MemoryEntry> all = {said("user", std::string(400, 'x')), said("user", std::string(400, 'y'))};
  EXPECT_EQ(window(all, 250).size(), 2);
  EXPECT_EQ(window(all, 250, 2).size(), 1);
}

TEST(Estimate, TakesFourBytesForAToken) {
  EXPECT_EQ(estimated_tokens(""), 4);
  EXPECT_EQ(estimated_tokens("abcd"), 5);
  EXPECT_EQ(estimated_tokens("abcde"), 6);
}

// A session of exchanges: a question "q3" and its answer "a3".
class Session : public testing::Test {
 protected:
  void say(int from, int to) {
    for (int i = from; i <= to; ++i) {
      const auto number = std::to_string(i);
      ASSERT_TRUE(world_.run(remember({&store_}, reader_, {i, 1}, "q" + number + padding_, {"\"a" + number + "\""}, world_.now())));
    }
  }
  Past past() { return *world_.run(read_session(store_, how_, reader_)); }
  Unsummarized due() { return *world_.run(unsummarized(store_, how_, reader_)); }
  void summarize(std::string text) { ASSERT_TRUE(world_.run(keep_summary(store_, reader_, std::move(text), due().until, world_.now()))); }
  // What each message says, without its padding.
  std::vector<std::string> said(const Past& past) {
    std::vector<std::string> all;
    for (const auto& message : past.messages) {
      auto text = event::ObjectReader::open(message.text)->text("content");
      all.push_back(text.substr(0, text.find(' ')));
    }
    return all;
  }
  using Texts = std::vector<std::string>;

  support::VirtualWorld world_;
  support::FakeMemory store_{world_};
  Reader reader_{"a", "s"};
  manifest::Memory how_{.window = 4};
  std::string padding_;
};

TEST_F(Session, OwesASummaryBeforeAnythingLeavesWhatIsRead) {
  say(1, 2);
  EXPECT_FALSE(past().summary_due);
  say(3, 3);
  EXPECT_EQ(said(past()), (Texts{"q1", "a1", "q2", "a2", "q3", "a3"}));  // beyond the window, and in no summary yet
  EXPECT_TRUE(past().summary_due);
}

TEST_F(Session, SummarizesWhatIsBeforeTheWindow) {
  say(1, 4);
  EXPECT_EQ(due().material, "Summary so far:\n(there is none)\n\nWhat was said after it, oldest first:\n[user] q1\n[assistant] a1\n[user] q2\n[assistant] a2\n");
  summarize("one and two");
  EXPECT_EQ(said(past()), (Texts{"Summary", "q3", "a3", "q4", "a4"}));
  EXPECT_EQ(past().messages[0].text, R"({"role":"system","content":"Summary of the earlier conversation:\none and two"})");
  EXPECT_FALSE(past().summary_due);
  EXPECT_TRUE(due().material.empty());
  say(5, 5);
  EXPECT_TRUE(due().material.starts_with("Summary so far:\none and two\n\nWhat was said after it, oldest first:\n[user] q3\n[assistant] a3\n"));
}

TEST_F(Session, KeepsTheSummaryWhileItGrows) {
  for (int i = 1; i <= 50; ++i) {
    say(i, i);
    const auto now = past();
    EXPECT_LE(now.messages.size(), 9U);
    EXPECT_EQ(said(now).back(), "a" + std::to_string(i));
    if (now.summary_due) summarize("to " + std::to_string(i));
  }
  EXPECT_TRUE(past().messages[0].text.contains("to 49") || past().messages[0].text.contains("to 50"));
}

TEST_F(Session, WithoutASummaryReadsTheWindowAlone) {
  how_.summarize = false;
  say(1, 9);
  EXPECT_EQ(said(past()), (Texts{"q8", "a8", "q9", "a9"}));
  EXPECT_FALSE(past().summary_due);
}

TEST_F(Session, OwesASummaryOfWhatItsTokensLeaveOut) {
  how_ = {.window = 100, .window_tokens = 300};
  padding_ = " " + std::string(400, 'x');
  say(1, 2);
  EXPECT_FALSE(past().summary_due);
  say(3, 3);
  EXPECT_EQ(said(past()), (Texts{"q2", "a2", "q3", "a3"}));
  EXPECT_TRUE(past().summary_due);
  EXPECT_TRUE(due().material.contains("[user] q1"));
  EXPECT_FALSE(due().material.contains("[user] q2"));
}

TEST_F(Session, SummarizesAsMuchAsAModelTakesAtATime) {
  padding_ = " " + std::string(20'000, 'x');
  say(1, 30);
  const auto first = due();
  EXPECT_LT(first.material.size(), 80'000U);
  EXPECT_TRUE(first.material.contains(" [shortened: it had 20003 bytes]\n"));
  EXPECT_TRUE(first.material.ends_with("[assistant] a7\n"));  // so that what is left begins with a question
  summarize("the first seven");
  EXPECT_TRUE(due().material.contains("oldest first:\n[user] q8 "));
}

TEST_F(Session, TakesNoSummaryForOneOfLess) {
  say(1, 3);
  const auto early = due();
  say(4, 6);
  summarize("much");
  ASSERT_TRUE(world_.run(keep_summary(store_, reader_, "little", early.until, world_.now())));
  EXPECT_TRUE(past().messages[0].text.contains("much"));
}

TEST_F(Session, GivesUpWhatWasSummarizedLongAgo) {
  for (int i = 1; i <= 150; ++i) {
    say(2 * i - 1, 2 * i);
    summarize("to " + std::to_string(2 * i));
  }
  EXPECT_LT(store_.entries.size(), 420U);
  EXPECT_GT(store_.entries.size(), 390U);  // a hundred summaries of four messages
  EXPECT_EQ(said(past()), (Texts{"Summary", "q299", "a299", "q300", "a300"}));
}

TEST_F(Session, IsOneOfItsAgentsAlone) {
  say(1, 4);
  summarize("ours");
  reader_.session = "t";
  say(11, 11);
  EXPECT_EQ(said(past()), (Texts{"q11", "a11"}));
}

TEST_F(Session, OfAStoreThatIsAwayIsAnError) {
  say(1, 4);
  store_.failing_reads = 99;
  EXPECT_FALSE(world_.run(read_session(store_, how_, reader_)));
  EXPECT_FALSE(world_.run(unsummarized(store_, how_, reader_)));
  EXPECT_FALSE(world_.run(keep_summary(store_, reader_, "x", 1, world_.now())));
  store_.failing_reads = 1;  // of the messages; the summary can be read
  EXPECT_FALSE(world_.run(read_session(store_, how_, reader_)));
}

}  // namespace
}  // namespace agentd::memory
