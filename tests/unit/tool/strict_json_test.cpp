#include "core/tool/strict_json.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace agentd::tool {
namespace {

std::string why(std::string_view text, Integers integers = Integers::of_64_bits) {
  const auto parsed = parse_strict(text, integers);
  return parsed ? "" : parsed.error().message;
}

TEST(StrictJson, ReadsWhatNlohmannReads) {
  const char* text =
      R"({"a":[1,-2,3.5,"x\u00e4",null,true,[],{}],"b":{"c":{"d":[[[]]]}},"e":18446744073709551615,"f":-9223372036854775808,"":""})";
  EXPECT_EQ(parse_strict(text).value(), nlohmann::json::parse(text));
  EXPECT_EQ(parse_strict(" 5 ").value(), 5);
  EXPECT_EQ(parse_strict("1e300").value(), 1e300);
}

TEST(StrictJson, RefusesIntegersThatWouldBecomeAnotherValue) {
  for (const char* text :
       {"18446744073709551616", "-9223372036854775809", R"({"a":[100000000000000000000]})", "-18446744073709551616"})
    EXPECT_TRUE(why(text).contains("beyond 64 bits")) << text << ": " << why(text);
  EXPECT_EQ(why("18446744073709551616", Integers::any), "");
  EXPECT_LT(why(std::string(5000, '9').substr(0, 300)).size(), 200) << "the number is shown shortened";
}

TEST(StrictJson, RefusesNumbersThatAreNone) {
  EXPECT_TRUE(why("[1e400]").contains("beyond what a double holds")) << why("[1e400]");
  EXPECT_TRUE(why("-1e400", Integers::any).contains("beyond what a double holds"));
  for (const char* text : {"NaN", "[Infinity]", "-Infinity", "nan", "01", "+1", ".5", "1.", "0x10"})
    EXPECT_TRUE(why(text).contains("not one valid JSON document")) << text;
}

TEST(StrictJson, RefusesWhatReadersReadDifferently) {
  EXPECT_EQ(why(R"({"a":1,"a":2})"), "JSON with the key \"a\" twice in one object");
  EXPECT_TRUE(why(R"({"x":[{"a\u0062":1,"ab":2}]})").contains("\"ab\" twice"));
  EXPECT_TRUE(why("\"\xff\"").contains("not one valid JSON document"));
  EXPECT_TRUE(why("\"\xed\xa0\x80\"").contains("not one valid JSON document")) << "a surrogate";
  EXPECT_TRUE(why(R"("\ud800")").contains("not one valid JSON document"));
  EXPECT_TRUE(why("\"\n\"").contains("not one valid JSON document"));
  EXPECT_TRUE(why("1 2").contains("at byte"));
  EXPECT_TRUE(why("").contains("not one valid JSON document"));
  EXPECT_TRUE(why(std::string("1\0", 2)).contains("not one valid JSON document"));
  EXPECT_TRUE(why("\xef\xbb\xbf{}").contains("byte order mark"));
}

TEST(StrictJson, RefusesWhatIsTooDeepOrTooMany) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(why(nested(64)), "");
  EXPECT_EQ(why(nested(65)), "JSON that nests deeper than 64");
  EXPECT_TRUE(why(nested(1'000'000)).contains("deeper than 64"));
  std::string many = "[0";
  for (int i = 0; i < 1'000'000; ++i) many += ",0";
  EXPECT_TRUE(why(many + ']').contains("more than 1000000 values"));
}

}  // namespace
}  // namespace agentd::tool
