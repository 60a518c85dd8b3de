#include "host/batch_item.hpp"

#include <gtest/gtest.h>

#include "tests/support/bench/fake_plugins.hpp"

namespace agentd::host {
namespace {

std::string wrong(std::string_view line) {
  const auto item = read_batch_item(line);
  return item ? "" : item.error();
}

TEST(BatchItem, IsAKeyAQueryAndParamsEachOfWhichMayBeLeftOut) {
  const auto item = read_batch_item(R"({"key":"a 1","query":"Sum up","params":{"n":1}})");
  ASSERT_TRUE(item) << item.error();
  EXPECT_EQ(item->key + item->query + item->params, R"(a 1Sum up{"n":1})");
  EXPECT_TRUE(read_batch_item("{}"));
  EXPECT_TRUE(read_batch_item(R"({"key":null,"params":null})"));
}

TEST(BatchItem, TellsAllThatIsWrongWithIt) {
  EXPECT_NE(wrong("{").find("JSON"), std::string::npos);
  EXPECT_NE(wrong("[1]").find("an item is an object"), std::string::npos);
  EXPECT_EQ(
      wrong(R"({"key":1,"query":[],"params":"x","prompt":1})"),
      "key is a string; query is a string; params is an object; \"prompt\" is not known here; known are key, query, params");
  EXPECT_NE(wrong(R"({"key":"#1"})").find("begins like"), std::string::npos);
  EXPECT_NE(wrong(R"({"key":"a\nb"})"), "");
  EXPECT_NE(wrong("{\"key\":\"" + std::string(129, 'k') + "\"}").find("128"), std::string::npos);
  EXPECT_NE(wrong(R"({"key":"a","key":"b"})"), "");
}

TEST(BatchItem, StandsBelowNoNameThatHoldsASecret) {
  const support::PlainCleaner cleaner("hush");
  EXPECT_TRUE(is_kept_as_it_is(cleaner, batch_prefix("week-47")));
  EXPECT_FALSE(is_kept_as_it_is(cleaner, batch_prefix("week-hush")));
}

TEST(BatchItem, StandsBelowItsBatch) {
  EXPECT_TRUE(is_batch_name("Letters_1-9"));
  for (const auto* name : {"", "a/b", "a.b", "a b", "ä"}) EXPECT_FALSE(is_batch_name(name)) << name;
  EXPECT_FALSE(is_batch_name(std::string(65, 'a')));
  EXPECT_EQ(batch_prefix("n"), "batch:n/");
  EXPECT_EQ(key_of_line(12), "#0000012");
  EXPECT_LT(key_of_line(99), key_of_line(1'000'000));
}

}  // namespace
}  // namespace agentd::host
