// The pieces of the openai provider that are pure.
#include <gtest/gtest.h>

#include "request.hpp"
#include "retry_after.hpp"
#include "sse.hpp"

namespace agentd::openai {
namespace {

std::vector<std::string> events(std::string_view stream, std::size_t piece) {
  SseParser parser;
  std::vector<std::string> seen;
  const auto each = [&](std::string_view data) {
    seen.emplace_back(data);
    return true;
  };
  for (std::size_t at = 0; at < stream.size(); at += piece) EXPECT_TRUE(parser.feed(stream.substr(at, piece), each));
  EXPECT_TRUE(parser.finish(each));
  return seen;
}

TEST(Sse, ReadsTheSameHoweverTheBytesAreCut) {
  const std::vector<std::string> expected = {"one", "two\nlines", "", "three"};
  const std::string unix_lines = ": a comment\nid: 7\ndata: one\n\nevent: x\ndata: two\ndata:lines\n\ndata\n\nretry: 5\n\ndata: three\n\n";
  std::string dos_lines, mac_lines;
  for (const char c : unix_lines) (dos_lines += c == '\n' ? "\r\n" : std::string(1, c)), mac_lines += c == '\n' ? '\r' : c;
  for (const auto& stream : {unix_lines, dos_lines, mac_lines})
    for (std::size_t piece = 1; piece <= stream.size(); ++piece) EXPECT_EQ(events(stream, piece), expected) << piece;
}

TEST(Sse, EndsAnEventAtTheLineFeedBehindACutCarriageReturn) {
  for (std::size_t piece = 1; piece <= 20; ++piece) EXPECT_EQ(events("data: x\r\n\ndata: y\n\n", piece), (std::vector<std::string>{"x", "y"})) << piece;
}

TEST(Sse, CountsAnEventThatOnlyLacksItsEmptyLine) {
  EXPECT_EQ(events("data: last", 3), std::vector<std::string>{"last"});
  EXPECT_EQ(events("data: last\n", 3), std::vector<std::string>{"last"});
  EXPECT_EQ(events("", 1), std::vector<std::string>{});
}

TEST(Sse, PassesOverAByteOrderMark) { EXPECT_EQ(events("\xef\xbb\xbf" "data: x\n\n", 2), std::vector<std::string>{"x"}); }

TEST(Sse, BoundsAnEvent) {
  SseParser parser;
  const std::string much(1 << 20, 'x');
  bool took = parser.feed("data: ", [](std::string_view) { return true; });
  for (int i = 0; i < 10 && took; ++i) took = parser.feed(much, [](std::string_view) { return true; });
  EXPECT_FALSE(took);
}

int64_t wait(sdk::HttpHeaders headers, int64_t now = 0) {
  sdk::HttpHead head;
  head.headers = std::move(headers);
  return retry_after_ms(head, now);
}

TEST(RetryAfter, IsReadInEveryFormThatEndpointsSend) {
  EXPECT_EQ(wait({}), -1);
  EXPECT_EQ(wait({{"retry-after", "7"}}), 7000);
  EXPECT_EQ(wait({{"retry-after", "0.5"}}), 500);
  EXPECT_EQ(wait({{"retry-after-ms", "1200"}, {"retry-after", "9"}}), 1200);
  for (const char* nonsense : {"soon", "", "-1", "1.2.3", "1s", ".", "1e3"}) EXPECT_EQ(wait({{"retry-after", nonsense}}), -1) << nonsense;
  EXPECT_EQ(wait({{"retry-after", "999999999"}}), 86'400'000);
}

TEST(RetryAfter, MeasuresADateFromTheAnswersOwn) {
  EXPECT_EQ(wait({{"retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"}}, 784111777 - 30), 30'000);
  EXPECT_EQ(wait({{"retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"}, {"date", "Sun, 06 Nov 1994 08:49:27 GMT"}}, 0), 10'000);
  EXPECT_EQ(wait({{"retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"}}, 800000000), 0);
  EXPECT_EQ(wait({{"retry-after", "Sun, 06 Foo 1994 08:49:37 GMT"}}), -1);
}

TEST(RetryAfter, WaitsForTheLimitThatIsUsedUp) {
  EXPECT_EQ(wait({{"x-ratelimit-reset-requests", "6m0s"}, {"x-ratelimit-reset-tokens", "12ms"}}), 360'000);
  EXPECT_EQ(wait({{"x-ratelimit-reset-requests", "6m0s"}, {"x-ratelimit-reset-tokens", "12ms"}, {"x-ratelimit-remaining-tokens", "0"}, {"x-ratelimit-remaining-requests", "5"}}), 12);
  EXPECT_EQ(wait({{"x-ratelimit-reset-requests", "1m30.5s"}}), 90'500);
  EXPECT_EQ(wait({{"x-ratelimit-reset-requests", "never"}}), -1);
}

// A prompt of one assistant message with something beside it.
std::string body_of(const RequestBuilder& builder, std::string_view options, std::string_view extra = "", std::string_view owner = "") {
  const agentd_message message{sizeof message, AGENTD_ROLE_ASSISTANT, sdk::str(R"({"role":"assistant","content":"x"})"), sdk::str(extra), sdk::str(owner)};
  const agentd_message* messages[] = {&message};
  const agentd_completion record{sizeof record, 0, 1, 1000, sdk::str("r/1/2"), sdk::str("a"), sdk::str("r"), sdk::str("m\"1"), messages, 1, sdk::str(""), sdk::str(options)};
  return builder.build(sdk::Prompt(record)).body;
}

TEST(Request, NamesTheBoundOnOutputAsTheEndpointWants) {
  Settings settings;
  EXPECT_EQ(body_of(RequestBuilder(settings), R"({"max_output_tokens":9})"), R"({"model":"m\"1","messages":[{"role":"assistant","content":"x"}],"max_completion_tokens":9})");
  settings.base_url = "http://127.0.0.1:11434/v1/";
  EXPECT_NE(body_of(RequestBuilder(settings), R"({"max_output_tokens":9})").find(R"("max_tokens":9)"), std::string::npos);
  settings.max_tokens_key = MaxTokensKey::max_completion_tokens;
  EXPECT_NE(body_of(RequestBuilder(settings), R"({"max_output_tokens":9})").find(R"("max_completion_tokens":9)"), std::string::npos);
}

TEST(Request, CarriesEveryOptionThatIsSet) {
  const RequestBuilder builder{Settings()};
  const auto body = body_of(builder, R"({"temperature":0.5,"reasoning_effort":"low","output_schema":{"type":"object"},"max_output_tokens":null})");
  EXPECT_EQ(body, R"({"model":"m\"1","messages":[{"role":"assistant","content":"x"}],"temperature":0.5,"reasoning_effort":"low",)"
                  R"("response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":{"type":"object"}}}})");
}

TEST(Request, GivesAModelItsOwnReasoningBackAndNobodyElses) {
  const RequestBuilder builder{Settings()};
  const char* extra = R"({"reasoning_details":[{"type":"x"}]})";
  EXPECT_NE(body_of(builder, "{}", extra, "openai").find(R"({"role":"assistant","content":"x","reasoning_details":[{"type":"x"}]})"), std::string::npos);
  EXPECT_EQ(body_of(builder, "{}", extra, "gemini").find("reasoning_details"), std::string::npos);
}

TEST(Request, RefusesABaseUrlThatIsNone) {
  Settings settings;
  settings.base_url = "api.openai.com";
  EXPECT_THROW(RequestBuilder{settings}, sdk::Error);
}

}  // namespace
}  // namespace agentd::openai
