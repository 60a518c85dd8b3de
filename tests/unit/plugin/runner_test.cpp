#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "host/runner/inspect.hpp"
#include "tests/unit/plugin/folder.hpp"

namespace agentd::runner {
namespace {

using plugin::test::Folder;

Result<std::string> inspect(std::string_view name, std::chrono::milliseconds timeout = std::chrono::seconds(10)) {
  return inspect_in_runner("/proc/self/exe", Folder::built(name), timeout);
}

TEST(Inspect, PrintsTheDescriptor) {
  const auto text = inspect("good");
  ASSERT_TRUE(text) << text.error().message;
  const auto json = nlohmann::json::parse(*text);
  EXPECT_EQ(json["name"], "good");
  EXPECT_EQ(json["version"], "1.2.3");
  EXPECT_EQ(json["components"][0]["kind"], "toolset");
  EXPECT_EQ(json["components"][0]["settings_schema"]["type"], "object");
}

TEST(Inspect, ShowsToolsWhereNoSettingsAreNeeded) {
  const auto text = inspect("picky");
  ASSERT_TRUE(text) << text.error().message;
  const auto components = nlohmann::json::parse(*text)["components"];
  const auto& tool = components[0]["tools"][0];
  EXPECT_EQ(tool["name"], "greet");
  EXPECT_EQ(tool["effect"], "once");
  EXPECT_EQ(tool["reconciles"], true);
  EXPECT_EQ(tool["schema"]["properties"]["times"]["maximum"], 10);
  EXPECT_EQ(components[1]["tools_unknown"], "it needs settings: url");
  EXPECT_NE(components[2]["tools_unknown"].get<std::string>().find("nobody answers at 127.0.0.1"), std::string::npos) << components[2];
  EXPECT_TRUE(components[3]["tools_unknown"].is_string()) << components[3];  // stuck: given up on
}

TEST(Inspect, ShowsTheDescriptorWhereMakingAToolsetCrashes) {
  const auto text = inspect("aborts");
  ASSERT_TRUE(text) << text.error().message;
  const auto component = nlohmann::json::parse(*text)["components"][0];
  EXPECT_EQ(component["name"], "aborts");
  EXPECT_NE(component["tools_unknown"].get<std::string>().find("crashes when it is made: Aborted"), std::string::npos) << component;
}

TEST(Inspect, KeepsWhatAPluginPrintsOutOfTheAnswer) {
  const auto text = inspect("chatty");
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(nlohmann::json::parse(*text)["name"], "chatty");
}

TEST(Inspect, SaysWhyOneIsBroken) {
  const auto text = inspect("newer_abi");
  ASSERT_FALSE(text);
  EXPECT_NE(text.error().message.find("wants a newer ABI"), std::string::npos) << text.error().message;
}

TEST(Inspect, SurvivesACrash) {
  const auto text = inspect("crash");
  ASSERT_FALSE(text);
  EXPECT_NE(text.error().message.find("crashes when it is loaded: Aborted; it said: about to abort"), std::string::npos) << text.error().message;
}

TEST(Inspect, SurvivesAnExit) {
  const auto text = inspect("leaves");
  ASSERT_FALSE(text);
  EXPECT_NE(text.error().message.find("ended the process that loaded it, with exit code"), std::string::npos) << text.error().message;
}

TEST(Inspect, EndsAHang) {
  const auto text = inspect("hangs", std::chrono::milliseconds(300));
  ASSERT_FALSE(text);
  EXPECT_NE(text.error().message.find("did not load within 300ms"), std::string::npos) << text.error().message;
}

TEST(Inspect, SaysWhenThereIsNoRunner) {
  const auto text = inspect_in_runner("/no/such/agentd", Folder::built("good"));
  ASSERT_FALSE(text);
  EXPECT_NE(text.error().message.find("/no/such/agentd cannot be started"), std::string::npos) << text.error().message;
}

}  // namespace
}  // namespace agentd::runner
