#include "host/redactor.hpp"

#include <gtest/gtest.h>

#include <boost/beast/core/detail/base64.hpp>
#include <nlohmann/json.hpp>

#include "core/base/json_text.hpp"

namespace agentd::host {
namespace {

std::string base64(std::string_view text) {
  namespace base64 = boost::beast::detail::base64;
  std::string out(base64::encoded_size(text.size()), '\0');
  out.resize(base64::encode(out.data(), text.data(), text.size()));
  return out;
}

std::string for_urls(std::string text) {
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

struct Secrets {
  explicit Secrets(std::initializer_list<std::string_view> values) {
    for (const auto value : values) redactor.add(value);
  }
  std::string text(std::string text) const { return redactor.cleaned(std::move(text)); }
  std::string json(std::string json) const { return redactor.clean_json(json), json; }
  Redactor redactor;
};

TEST(Redactor, TakesSecretsOutInEveryForm) {
  const Secrets secrets{"s3cret\"word"};
  EXPECT_EQ(secrets.text("key=s3cret\"word, again s3cret\"word"), "key=[secret], again [secret]");
  EXPECT_EQ(secrets.text(R"({"key":"s3cret\"word"})"), R"({"key":"[secret]"})");
  EXPECT_EQ(secrets.text(R"({"arguments":"{\"key\":\"s3cret\\\"word\"}"})"), R"({"arguments":"{\"key\":\"[secret]\"}"})");
  EXPECT_EQ(secrets.text("?key=s3cret%22word&x"), "?key=[secret]&x");
  EXPECT_EQ(secrets.text("Basic czNjcmV0IndvcmQ="), "Basic [secret]=");
}

TEST(Redactor, KnowsTheEscapesOfOtherEncoders) {
  const Secrets secrets{
      "ab/<s\xc3\xa9"
      "cret>"};
  EXPECT_EQ(secrets.text(R"(ab\/<s)"
                         "\xc3\xa9"
                         R"(cret>)"),
            "[secret]");
  EXPECT_EQ(secrets.text("ab/\\u003cs\xc3\xa9"
                         "cret\\u003e"),
            "[secret]");
  EXPECT_EQ(secrets.text(R"(ab/<s\u00e9cret>)"), "[secret]");
  EXPECT_EQ(secrets.json(R"(["\u0061b\/<s\u00E9cret>"])"), R"(["[secret]"])");
}

TEST(Redactor, FindsBase64OfEitherAlphabetAtEveryAlignmentPaddedOrNot) {
  for (const std::string secret :
       {"sk-proj-0123456789", "sk-proj-01234567890", "sk-proj-012345678901", "\xfb\xef\xbe\xff\xfb\xef\xbe\xff\xfb"}) {
    const Secrets secrets{secret};
    for (const auto* before : {"", "u", "u:", "user:"})
      for (const auto* after : {"", "\n", ":x", "@host"}) {
        auto coded = base64(before + secret + after);
        for (const auto& form : {coded, for_urls(coded), coded.substr(0, coded.find('='))}) {
          const auto clean = secrets.text("token " + form + " end");
          EXPECT_TRUE(clean.contains("[secret]")) << before << secret << after << ": " << clean;
          // At its edges a character of a neighbour's may stay, which holds at most 4 bits of the secret.
          EXPECT_LE(clean.size(), std::string("token [secret] end").size() + base64(before).size() + base64(after).size() + 2)
              << clean;
        }
      }
  }
}

TEST(Redactor, LeavesTextAlone) {
  const Secrets secrets{"", "  ", "sk-proj-0123456789"};
  for (const auto* text : {"", "a banana", "sk-proj-012345678", "\"", "[secret]"}) EXPECT_EQ(secrets.text(text), text);
  for (const auto* json : {"", "{}", "null", R"({"a":[1,-2.5e3,true,"x\n"]})", R"(["\u00e9"])", R"({"a":)"})
    EXPECT_EQ(secrets.json(json), json);
  EXPECT_EQ(Redactor().cleaned("anything"), "anything");
}

TEST(Redactor, TakesTheLongerOfTwoFirstAndOverlappingOnesWhole) {
  const Secrets nested{"secret-a", "secret-a-and-more"};
  EXPECT_EQ(nested.text("secret-a-and-more secret-a"), "[secret] [secret]");
  const Secrets overlapping{"abcdefghij", "fghijklmno"};
  EXPECT_EQ(overlapping.text("xabcdefghijklmnox"), "x[secret]x");
}

TEST(Redactor, TakesAShortOneOutWhereItIsAWord) {
  const Secrets secrets{"test", "x"};
  EXPECT_EQ(secrets.text("the latest test, tested; key=test x"), "the latest [secret], tested; key=[secret] [secret]");
  EXPECT_EQ(secrets.text("test"), "[secret]");
  EXPECT_EQ(secrets.json(R"({"test":"test","n":"a\ntest","x":[true,null]})"),
            R"({"test":"[secret]","n":"a\n[secret]","x":[true,null]})");
  EXPECT_EQ(secrets.text("dGVzdA== eA=="), "[secret]== [secret]==");
}

TEST(Redactor, ChangesNothingTheSecondTime) {
  const Secrets secrets{"secret", "[secret]!", "ecre", "se"};
  const auto once = secrets.text("a secret, se, the [secret]! and [secret]");
  EXPECT_EQ(secrets.text(once), once);
  EXPECT_EQ(once, "a [secret], [secret], the [secret] and [secret]");
  EXPECT_EQ(secrets.json(R"("[secret]")"), R"("[secret]")");
}

TEST(Redactor, KeepsJsonValid) {
  const Secrets secrets{"12345678", "with\"quote\\and\nline", R"({"type":"service","private_key":"abcdefgh"})", "\",\"b\":\""};
  EXPECT_EQ(secrets.json(R"({"n":12345678,"s":"a 12345678 b"})"), R"({"n":"[secret]","s":"a [secret] b"})");
  EXPECT_EQ(secrets.json(R"({"12345678":1})"), R"({"[secret]":1})");
  EXPECT_EQ(secrets.json(R"(["with\"quote\\and\nline"])"), R"(["[secret]"])");
  EXPECT_EQ(secrets.json(R"({"key":{"type":"service","private_key":"abcdefgh"}})"), R"("[secret]")");
  EXPECT_EQ(secrets.json(R"({"12345678":1,"0012345678":2})"), R"({"[secret]":1,"00[secret]":2})");
  EXPECT_EQ(secrets.json(R"({"12345678":1,"[secret]":2})"), R"("[secret]")");
  EXPECT_EQ(secrets.json(R"({"n":12345678)"), R"({"n":[secret])");  // no JSON before either
}

TEST(Redactor, KnowsThePasswordInAUrlAndTheTokenInAHeader) {
  const Secrets secrets{"postgres://agentd:p4ssw0rd-of-db@db.internal:5432/agentd", "Bearer tok-0123456789\n"};
  EXPECT_EQ(secrets.text("FATAL: password \"p4ssw0rd-of-db\" is wrong"), "FATAL: password \"[secret]\" is wrong");
  EXPECT_EQ(secrets.text("tok-0123456789 is not known at db.internal"), "[secret] is not known at db.internal");
  EXPECT_EQ(secrets.text("Authorization: Bearer tok-0123456789"), "Authorization: [secret]");
}

TEST(Redactor, FindsWhatAnExhaustiveSearchFinds) {
  const std::vector<std::string> values = {"aabbaabb", "abababab", "bbbbbbbb", "aabbaabbaabb"};
  Redactor redactor;
  for (const auto& value : values) redactor.add(value);
  std::uint32_t random = 7;
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (int i = 0; i < 40; ++i) text += (random = random * 1664525 + 1013904223) >> 31 ? 'a' : 'b';
    const auto clean = redactor.cleaned(text);
    bool holds = false;
    for (const auto& value : values) {
      holds = holds || text.contains(value);
      ASSERT_FALSE(clean.contains(value)) << text << " became " << clean;
    }
    ASSERT_EQ(clean != text, holds) << text;
  }
}

}  // namespace
}  // namespace agentd::host
