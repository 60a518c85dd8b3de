#include "core/base/json_numbers.hpp"

#include <gtest/gtest.h>

namespace agentd {
namespace {

TEST(WideInteger, IsOneThatSixtyFourBitsDoNotHold) {
  EXPECT_EQ(wide_integer("18446744073709551616"), "18446744073709551616");
  EXPECT_EQ(wide_integer(R"({"a\"":["123456789012345678901",-9223372036854775809]})"), "-9223372036854775809");
  for (const char* fits : {"18446744073709551615", "-9223372036854775808", "1e30", "123456789012345678901.5", "-0", "true",
                           "[false,1,2]", R"({"99999999999999999999":"99999999999999999999\\"})", "\"\"", ""})
    EXPECT_EQ(wide_integer(fits), "") << fits;
}

}  // namespace
}  // namespace agentd
