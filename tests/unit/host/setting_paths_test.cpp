#include "host/setting_paths.hpp"

#include <gtest/gtest.h>

namespace agentd::host {
namespace {

constexpr const char* kSchema = R"({"type":"object","properties":{
  "file":{"type":"string","format":"path"}, "word":{"type":"string"},
  "roots":{"type":"array","items":{"type":"string","format":"path"}},
  "inner":{"type":"object","additionalProperties":{"type":"string","format":"path"}}}})";

std::string absolute(const char* settings) { return with_absolute_paths(settings, kSchema, "/etc/agentd"); }

TEST(SettingPaths, AreRelativeToTheFileThatNamesThem) {
  EXPECT_EQ(absolute(R"({"file":"a.toml","word":"a.toml"})"), R"({"file":"/etc/agentd/a.toml","word":"a.toml"})");
  EXPECT_EQ(absolute(R"({"roots":["x","/srv","../y",""]})"), R"({"roots":["/etc/agentd/x","/srv","/etc/y",""]})");
  EXPECT_EQ(absolute(R"({"inner":{"a":"b"}})"), R"({"inner":{"a":"/etc/agentd/b"}})");
}

TEST(SettingPaths, LeaveWhatDoesNotFitToTheValidator) {
  for (const char* settings : {R"({"file":7})", R"({"roots":"x"})", R"({"unknown":"x"})", "[]", "nonsense"}) EXPECT_EQ(absolute(settings), settings);
  EXPECT_EQ(with_absolute_paths(R"({"a":"b"})", "nonsense", "/"), R"({"a":"b"})");
}

}  // namespace
}  // namespace agentd::host
