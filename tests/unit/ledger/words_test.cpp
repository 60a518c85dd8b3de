#include "stores/sqlite/words.hpp"

#include <gtest/gtest.h>

namespace agentd::sqlite {
namespace {

TEST(Words, SetCharactersApartWhereAScriptHasNoSpaces) {
  EXPECT_EQ(spaced("ab \xe6\x9d\xb1\xe4\xba\xac!"), "ab  \xe6\x9d\xb1  \xe4\xba\xac !");
  EXPECT_EQ(spaced("\xd0\xa1\xd0\xb5 \xec\x84\x9c"), "\xd0\xa1\xd0\xb5 \xec\x84\x9c");  // Cyrillic and Korean have them
}

TEST(Words, SurviveWhatIsNoText) {
  EXPECT_EQ(spaced("\xff\xe6\x9d"), "\xff\xe6\x9d");
  EXPECT_EQ(spaced(""), "");
}

TEST(Words, OfAQueryAreQuoted) {
  EXPECT_EQ(any_word_of("disk  full"), "\"disk\" OR \"full\"");
  EXPECT_EQ(any_word_of("a\"b OR"), "\"a b\" OR \"OR\"");
  EXPECT_EQ(any_word_of(" \t\n"), "");
}

TEST(Words, OfALongQueryAreBounded) {
  std::string query;
  for (int i = 0; i < 1000; ++i) query += "w ";
  EXPECT_LT(any_word_of(query).size(), 64u * 8);
}

TEST(Words, OneTokenPerAgent) { EXPECT_EQ(agent_token("a_b"), "a615f62x"); }

}  // namespace
}  // namespace agentd::sqlite
