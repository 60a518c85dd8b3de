#include "host/api/routes.hpp"

#include <gtest/gtest.h>

namespace agentd::api {
namespace {

Routes some() {
  Routes routes;
  routes.add("GET", "/", {});
  routes.add("GET", "/v1/agents", {});
  routes.add("GET", "/v1/agents/{id}", {});
  routes.add("POST", "/v1/agents/{id}/runs", {});
  routes.add("DELETE", "/v1/agents/{id}", {});
  return routes;
}

TEST(Routes, CaptureSegments) {
  const auto routes = some();
  const auto found = routes.find("POST", {"v1", "agents", "a/b", "runs"});
  ASSERT_TRUE(std::holds_alternative<Match>(found));
  EXPECT_EQ(std::get<Match>(found).captured.at("id"), "a/b");
  EXPECT_EQ(std::get<Match>(found).route->pattern, "/v1/agents/{id}/runs");
}

TEST(Routes, SayWhichMethodsAPathHas) {
  const auto routes = some();
  const auto found = routes.find("PUT", {"v1", "agents", "a"});
  ASSERT_TRUE(std::holds_alternative<NoSuchMethod>(found));
  EXPECT_EQ(std::get<NoSuchMethod>(found).allowed, "GET, DELETE");
}

TEST(Routes, KnowNoOtherPath) {
  const auto routes = some();
  EXPECT_TRUE(std::holds_alternative<NoSuchPath>(routes.find("GET", {"v1"})));
  EXPECT_TRUE(std::holds_alternative<NoSuchPath>(routes.find("GET", {"v1", "agents", ""})));
  EXPECT_TRUE(std::holds_alternative<NoSuchPath>(routes.find("GET", {"v1", "agents", "a", "b", "c"})));
  EXPECT_TRUE(std::holds_alternative<Match>(routes.find("HEAD", {"v1", "agents"})));
}

}  // namespace
}  // namespace agentd::api
