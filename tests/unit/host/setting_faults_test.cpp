#include "host/setting_faults.hpp"

#include <gtest/gtest.h>

namespace agentd::host {
namespace {

using Known = std::vector<std::string>;

constexpr const char* kSchema = R"({"type":"object","additionalProperties":false,"required":["roots"],"properties":{
  "roots":{"type":"array","items":{"type":"string"}},
  "limits":{"type":"object","additionalProperties":false,"properties":{"a/b":{"type":"integer"}}},
  "open":{"type":"object"}}})";

TEST(SettingFaults, AreToldPlaceByPlace) {
  const auto faults = setting_faults(kSchema, R"({"roots":["x",7],"limits":{"a/b":"1"}})");
  ASSERT_EQ(faults.size(), 2U);
  EXPECT_EQ(faults[0].pointer, "/limits/a~1b");
  EXPECT_EQ(faults[1].pointer, "/roots/1");
  EXPECT_TRUE(setting_faults(kSchema, R"({"roots":[],"open":{"any":1}})").empty());
}

TEST(SettingFaults, NameTheKeysThatAreKnownWhereOneIsNot) {
  const auto faults = setting_faults(kSchema, R"({"roots":[],"rots":[],"limits":{"ab":1}})");
  ASSERT_EQ(faults.size(), 2U);
  EXPECT_EQ(faults[0].pointer, "/limits/ab");
  EXPECT_EQ(faults[0].known, Known{"a/b"});
  EXPECT_EQ(faults[1].pointer, "/rots");
  EXPECT_EQ(faults[1].known, (Known{"limits", "open", "roots"}));
}

TEST(SettingFaults, LeaveToTheValidatorWhatOnlyItCanTell) {
  EXPECT_EQ(setting_faults(R"({"patternProperties":{"^x":{}},"additionalProperties":false})", R"({"x1":1})").size(), 0U);
  EXPECT_EQ(setting_faults(R"({"allOf":[{"required":["a"]}]})", "{}").size(), 1U);
  EXPECT_EQ(setting_faults("nonsense", "{}").size(), 1U);
}

}  // namespace
}  // namespace agentd::host
