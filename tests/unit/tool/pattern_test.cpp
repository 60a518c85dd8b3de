#include "core/tool/pattern.hpp"

#include <gtest/gtest.h>

namespace agentd::tool {
namespace {

struct Case {
  const char* pattern;
  std::vector<std::string> found, not_found;
};

TEST(Pattern, MeansWhatEcmaMeans) {
  const Case cases[] = {
      {"a", {"xax"}, {"b", ""}},
      {"^a$", {"a"}, {"a\n", "ba"}},
      {"", {"", "x"}, {}},
      {"^.$", {"x", "\xc3\xa4", "\xf0\x9f\x98\x80"}, {"\n", "\r", "\xe2\x80\xa8", "xy"}},
      {R"(^\d\D\w\W$)", {"1a_-"}, {"1a--"}},
      {R"(^\s$)", {" ", "\t", "\v", "\xc2\xa0", "\xef\xbb\xbf"}, {"x", "\xe2\x80\x8b"}},
      {R"(^\S$)", {"x", "\xe2\x80\x8b"}, {" ", "\v", "\xc2\xa0"}},
      {R"(^[\s\S]$)", {" ", "x", "\n"}, {""}},
      {R"(^[^\s]$)", {"x"}, {" ", "\xc2\xa0"}},
      {R"(^[\w-.]+$)", {"a-b.c"}, {"a/b"}},
      {R"(^[a-\d]+$)", {"a-7"}, {"b"}},
      {R"(^[\s-x]+$)", {" -x"}, {"b"}},
      {R"(^[a-c]$)", {"b"}, {"-", "d"}},
      {R"(^[-a]$)", {"-", "a"}, {"b"}},
      {R"(^[[:alpha:]]$)", {":]", "a]"}, {"b]", "b"}},
      {R"(^[\b]$)", {"\b"}, {"b"}},
      {R"(\bfoo\b)", {"a foo b"}, {"food"}},
      {"^[^]$", {"x", "\n"}, {""}},
      {"[]", {}, {"", "x"}},
      {R"(^\u00e4\x41\u{1F600}\ud83d\ude00$)",
       {"\xc3\xa4"
        "A\xf0\x9f\x98\x80\xf0\x9f\x98\x80"},
       {"a"}},
      {R"(^[\u0030-\u0039]+$)", {"019"}, {"a"}},
      {R"(^\cA\0\t$)", {std::string("\x01\0\t", 3)}, {"A"}},
      {R"(^\/\-\.\$\*$)", {"/-.$*"}, {"a"}},
      {R"(^(?:ab)(?<year>\d{4})$)", {"ab2026"}, {"ab"}},
      {R"(^\p{Lu}\p{L}+\P{L}$)", {"\xc3\x84hn!"}, {"ahn!"}},
      {R"(^a{2,3}$)", {"aa", "aaa"}, {"a", "aaaa"}},
      {"^a{$", {"a{"}, {"a"}},
      {"^(a+?)+$", {"aaa"}, {""}},
  };
  for (const auto& [text, found, not_found] : cases) {
    const auto pattern = Pattern::compile(text);
    ASSERT_TRUE(pattern) << text << ": " << pattern.error().message;
    for (const auto& t : found) EXPECT_TRUE(pattern->found_in(t)) << text << " in " << t;
    for (const auto& t : not_found) EXPECT_FALSE(pattern->found_in(t)) << text << " in " << t;
  }
}

TEST(Pattern, IsRefusedWhenRe2WouldReadSomethingElse) {
  for (const char* text : {"(",
                           ")",
                           "[",
                           "[b-a]",
                           "*",
                           "a**",
                           "a++",
                           "(?i)a",
                           "(?P<n>a)",
                           R"(\A)",
                           R"(\z)",
                           R"(\Qa\E)",
                           R"(\C)",
                           R"(\pL)",
                           R"(\p{Script=Greek})",
                           R"(\x1)",
                           R"(\u12)",
                           R"(\ud800)",
                           R"(\ud800\u0041)",
                           R"(\u{110000})",
                           R"(\u{})",
                           R"(\c1)",
                           "\\",
                           R"([\B])",
                           "(?<n",
                           "a{2,1}",
                           R"(\p{Nothing})",
                           R"(\1)"}) {
    const auto pattern = Pattern::compile(text);
    ASSERT_FALSE(pattern) << text;
    EXPECT_FALSE(pattern.error().message.empty());
  }
}

}  // namespace
}  // namespace agentd::tool
