#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/manifest/agents.hpp"

namespace agentd::manifest {
namespace {

using nlohmann::json;

TEST(ManifestSchema, DescribesEveryTable) {
  const auto schema = json::parse(manifest_schema());
  EXPECT_EQ(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(schema["additionalProperties"], false);
  const auto& limits = schema["properties"]["limits"]["properties"];
  EXPECT_EQ(limits["queue_size"]["default"], 100);
  EXPECT_EQ(limits["queue_size"]["minimum"], 1);
  EXPECT_EQ(limits["tool_call_timeout"]["default"], "30s");
  EXPECT_EQ(schema["properties"]["schedule"]["properties"]["overlap"]["enum"], json({"skip", "queue", "cancel_previous", "allow"}));
}

TEST(ManifestSchema, RefusesWhatIsNotBuiltYet) {
  const auto schema = json::parse(manifest_schema());
  EXPECT_EQ(schema["properties"]["skills"]["not"], json::object());
  EXPECT_THAT(schema["properties"]["skills"]["description"], testing::HasSubstr("Not supported yet"));
  const auto config = json::parse(config_schema());
  EXPECT_EQ(config["properties"]["plugins"]["additionalProperties"]["properties"]["isolation"]["not"]["enum"], json({"process"}));
}

TEST(ConfigSchema, LetsPluginsHaveKeysOfTheirOwn) {
  const auto schema = json::parse(config_schema());
  EXPECT_EQ(schema["additionalProperties"], false);
  const auto& provider = schema["properties"]["providers"]["additionalProperties"];
  EXPECT_FALSE(provider.contains("additionalProperties"));
  EXPECT_EQ(provider["properties"]["timeout"]["default"], "2m");
}

}  // namespace
}  // namespace agentd::manifest
