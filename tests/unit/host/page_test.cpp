#include "host/api/page.hpp"

#include <gtest/gtest.h>

namespace agentd::api {
namespace {

Json parsed(const Document& document) { return Json::parse(document.body); }

TEST(Page, HasItsItemsAndWhatIsNext) {
  Page page("runs", 2);
  EXPECT_TRUE(page.add(Json(1)));
  EXPECT_TRUE(page.add(Json("two")));
  EXPECT_FALSE(page.add(Json(3)));
  EXPECT_EQ(parsed(page.answer("here")), Json::parse(R"({"runs":[1,"two"],"next":"here"})"));
  EXPECT_EQ(parsed(page.answer(nullptr, {{"total", 7}})), Json::parse(R"({"total":7,"runs":[1,"two"],"next":null})"));
}

TEST(Page, OfNothingIsAPage) { EXPECT_EQ(parsed(Page("runs", 5).answer(nullptr)), Json::parse(R"({"runs":[],"next":null})")); }

TEST(Page, IsBoundedInBytesWhateverItsLimit) {
  Page page("runs", 1000);
  const std::string item(kPageBytes / 4, 'x');
  int added = 0;
  while (page.add(Json(item))) ++added;
  EXPECT_EQ(added, 3);
  EXPECT_LE(page.answer("n").body.size(), kPageBytes);
}

TEST(Page, TakesOneItemHoweverLong) {
  Page page("runs", 10);
  EXPECT_TRUE(page.add(Json(std::string(2 * kPageBytes, 'x'))));
  EXPECT_FALSE(page.add(Json(1)));
  EXPECT_EQ(page.size(), 1U);
}

}  // namespace
}  // namespace agentd::api
