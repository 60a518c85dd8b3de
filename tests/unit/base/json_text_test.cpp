#include "core/base/json_text.hpp"

#include <gtest/gtest.h>

namespace agentd {
namespace {

TEST(JsonString, EscapesWhatMustBeAndKeepsTheRest) {
  EXPECT_EQ(json_string("a\"b\\c\n\x01 é"), "\"a\\\"b\\\\c\\n\\u0001 é\"");
  EXPECT_EQ(json_string("\xff\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

TEST(IsJson, RefusesDuplicatesDepthAndBadUtf8) {
  EXPECT_TRUE(is_json(R"({"a":[1,2,{"b":null}]})"));
  EXPECT_FALSE(is_json(R"({"a":1,"a":2})"));
  EXPECT_TRUE(is_json("[[1]]", 2));
  EXPECT_FALSE(is_json("[[[1]]]", 2));
  EXPECT_FALSE(is_json("\"\xff\""));
  EXPECT_FALSE(is_json(""));
  EXPECT_FALSE(is_json("{} {}"));
  EXPECT_FALSE(is_json(std::string_view("{}\0{", 4))) << "the rest would go unread";
  EXPECT_FALSE(is_json("\xef\xbb\xbf{}")) << "whoever reads it again may not pass over a byte order mark";
}

TEST(ClipUtf8, CutsAtTheBorderOfACharacter) {
  EXPECT_EQ(clip_utf8("aé", 2), "a");
  EXPECT_EQ(clip_utf8("aé", 3), "aé");
}

}  // namespace
}  // namespace agentd
