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
  EXPECT_EQ(window(all, 3 * one).size(), 3);
  ASSERT_EQ(window(all, 3 * one - 1).size(), 2);
  EXPECT_TRUE(window(all, 3 * one - 1)[1].text.contains("33333333"));
  EXPECT_EQ(window(all, 0).size(), 3);
  EXPECT_TRUE(window({}, 0).empty());
}

TEST(Window, CountsTokensAsTheModelDoes) {
  const std::vector<port::MemoryEntry> all(3, said("user", std::string(400, 'x')));
  EXPECT_EQ(window(all, 400).size(), 3);
  EXPECT_EQ(window(all, 400, 2).size(), 2);
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
  say(1, 1);
  EXPECT_FALSE(past().summary_due);
  say(2, 2);
  EXPECT_TRUE(past().summary_due);
  say(3, 4);
  EXPECT_EQ(said(past()), (Texts{"q1", "a1", "q2", "a2", "q3", "a3", "q4", "a4"}));  // beyond the window, and in no summary yet
}

TEST_F(Session, SummarizesWhatIsBeforeTheWindow) {
  say(1, 4);
  EXPECT_EQ(due().material, "Summary so far:\n(there is none)\n\nWhat was said after it, oldest first:\n[user] q1\n[assistant] a1\n[user] q2\n[assistant] a2\n[user] q3\n[assistant] a3\n");
  summarize("one to three");
  EXPECT_EQ(said(past()), (Texts{"Summary", "q3", "a3", "q4", "a4"})) << "the window is whole all the same";
  EXPECT_EQ(past().messages[0].text, R"({"role":"system","content":"Summary of the earlier conversation:\none to three"})");
  EXPECT_FALSE(past().summary_due);
  EXPECT_TRUE(due().material.empty());
  say(5, 5);
  EXPECT_TRUE(due().material.starts_with("Summary so far:\none to three\n\nWhat was said after it, oldest first:\n[user] q4\n[assistant] a4\n"));
  EXPECT_FALSE(due().material.contains("q5"));
}

TEST_F(Session, MakesNoSecondSummaryOfTheSame) {
  say(1, 4);
  EXPECT_TRUE(past().summary_due);
  EXPECT_TRUE(past().summary_due) << "by the next run, which came before the summary";
  summarize("one to three");
  EXPECT_TRUE(due().material.empty());
}

TEST_F(Session, HasEveryMessageInItsSummaryOrItsPromptWhereSummariesAreInTime) {
  how_ = {.window = 100, .window_tokens = 400};
  std::uint64_t until = 0;
  for (int i = 1; i <= 60; ++i) {
    padding_ = " " + std::string(static_cast<std::size_t>(i * i * 37 % 2000), 'x');
    const auto now = past();
    const auto in_summary = std::ranges::count_if(store_.entries, [&](const auto& entry) { return entry.session_id == "s" && entry.position <= until; });
    const auto in_prompt = static_cast<std::ptrdiff_t>(now.messages.size()) - (until > 0 ? 1 : 0);
    EXPECT_GE(in_summary + in_prompt, 2 * (i - 1)) << "before the exchange " << i;
    say(i, i);
    if (!now.summary_due) continue;
    const auto next = due();
    if (next.until == 0) continue;
    until = next.until;
    summarize("to " + std::to_string(until));
  }
  EXPECT_GT(until, 0U);
}

TEST_F(Session, ShortensWhatTakesMoreThanHalfOfItsTokens) {
  how_ = {.window = 100, .window_tokens = 300};
  padding_ = " " + std::string(20'000, 'x');
  say(1, 1);
  const auto now = past();
  EXPECT_EQ(said(now), (Texts{"q1", "a1"}));
  EXPECT_LT(now.messages[0].text.size(), 700U);
  EXPECT_TRUE(now.messages[0].text.contains("x [shortened: it had 20003 bytes]"));
  how_.summarize = false;
  EXPECT_EQ(said(past()), (Texts{"q1", "a1"}));
}

TEST_F(Session, ReadsBackToItsSummaryHoweverFarThatIs) {
  how_.window = 3000;
  say(1, 1600);
  ASSERT_TRUE(past().summary_due);
  const auto first = due();
  EXPECT_TRUE(first.material.contains("oldest first:\n[user] q1\n"));
  summarize("to there");
  say(1601, 4000);
  EXPECT_TRUE(past().summary_due);
  const auto next = due();
  const auto begins = next.material.find("[user] q");
  std::uint64_t position = 0;
  for (const auto& entry : store_.entries)
    if (next.material.substr(begins, 20).starts_with("[user] " + entry.text + "\n")) position = entry.position;
  EXPECT_EQ(position, first.until + 1);
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
  say(1, 1);
  EXPECT_FALSE(past().summary_due);
  say(2, 2);
  EXPECT_TRUE(past().summary_due);
  say(3, 3);
  EXPECT_EQ(said(past()), (Texts{"q1", "a1", "q2", "a2", "q3", "a3"}));
  EXPECT_TRUE(due().material.contains("[user] q2"));
  EXPECT_FALSE(due().material.contains("[user] q3"));
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
