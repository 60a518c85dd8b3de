#include "core/base/name_text.hpp"

#include <gtest/gtest.h>

namespace agentd {
namespace {

TEST(Name, IsAnyTextThatEverybodyReadsAlike) {
  for (const std::string_view fit : {"report-2026-03-01", "a b/c:d", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc2\xa0", ""})
    EXPECT_EQ(unfit_for_a_name(fit), "") << fit;
  for (const std::string_view unfit : {std::string_view("a\0b", 3), std::string_view("a\nb"), std::string_view("\t"),
                                       std::string_view("\x1b[2J"), std::string_view("\x7f"), std::string_view("\xc2\x85")})
    EXPECT_TRUE(unfit_for_a_name(unfit).contains("control character")) << unfit;
  for (const std::string_view unfit : {"\xff", "a\xc2", "\xed\xa0\x80", "\xc0\xaf"})
    EXPECT_TRUE(unfit_for_a_name(unfit).contains("UTF-8")) << unfit;
}

}  // namespace
}  // namespace agentd
