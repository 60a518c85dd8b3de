#include "host/api/guard.hpp"

#include <gtest/gtest.h>

namespace agentd::api {
namespace {

TEST(Guard, LetsThisMachineIn) {
  for (const auto* host : {"127.0.0.1:8765", "127.0.0.1", "localhost:8765", "localhost", "[::1]:8765", "[::1]", "127.8.9.1:1", "LOCALHOST:8765", "LocalHost"}) EXPECT_FALSE(foreign(host, "")) << host;
}

TEST(Guard, RefusesNamesThatAPageMadeResolveToLoopback) {
  for (const auto* host : {"evil.example:8765", "localhost.evil.example", "127.0.0.1.evil.example", "", "[::2]:1", "[", "192.168.0.1:8765", "[::1]evil.example", "[::1]:80@evil.example",
                           "127.0.0.1:80@evil.example", "evil@127.0.0.1", "127.0.0.1:", "127.0.0.1:80:80", "127.0.0.1:70000", "127.0.0.1:-1", "[127.0.0.1]", "[::1%evil]", "[]", "localhost/", " localhost"})
    EXPECT_TRUE(foreign(host, "")) << host;
}

TEST(Guard, RefusesOtherOrigins) {
  EXPECT_FALSE(foreign("127.0.0.1:8765", "http://127.0.0.1:8765"));
  EXPECT_FALSE(foreign("LOCALHOST:8765", "http://localhost:8765"));
  for (const auto* origin : {"http://evil.example", "null", "https://127.0.0.1:8765", "http://127.0.0.1:9999"})
    EXPECT_TRUE(foreign("127.0.0.1:8765", origin)) << origin;
}

TEST(Guard, ReadsAddresses) {
  EXPECT_EQ(parse_address("127.0.0.1:80")->host, "127.0.0.1");
  EXPECT_EQ(parse_address("[::1]:80")->host, "::1");
  for (const auto* text : {"127.0.0.1", "8765", ":80", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", "[::1:80", "[::1]80", "::1:80"}) EXPECT_FALSE(parse_address(text)) << text;
}

}  // namespace
}  // namespace agentd::api
