#include "core/net/url.hpp"

#include <gtest/gtest.h>

namespace agentd::net {
namespace {

TEST(Origin, IsSchemeHostAndPort) {
  const auto found = origin("https://Example.com:8443/a?b#c");
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->tls);
  EXPECT_EQ(found->authority, "Example.com:8443");
  EXPECT_EQ(found->host, "Example.com");
  EXPECT_EQ(found->port, "8443");
  EXPECT_TRUE(found->is_name);
}

TEST(Origin, KnowsAddressesFromNames) {
  EXPECT_FALSE(origin("http://127.0.0.1/")->is_name);
  EXPECT_FALSE(origin("http://[::1]:80/")->is_name);
  EXPECT_EQ(origin("http://[::1]:80/")->host, "::1");
  EXPECT_TRUE(origin("http://localhost")->is_name);
}

TEST(Origin, RefusesWhatIsNotAPlainHttpUrl) {
  for (const char* url : {"", "example.com", "ftp://example.com/", "file:///etc/passwd", "http://", "http:///path", "http://a b/", "http://a/\r\nX: y", "http://a\\b/",
                          "http://[::1/", "http://[::1]x/", "http://a:99999999/", "http://a:8o/"})
    EXPECT_FALSE(origin(url)) << url;
}

TEST(Origin, RefusesCredentialsWithoutRepeatingThem) {
  const auto refused = origin("https://ann:secret@example.com/");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "a URL may not hold credentials: send them as a header");
}

TEST(Origin, IsTheSameWithADefaultPortWritten) {
  const auto same = [](const char* a, const char* b) { return same_origin(*origin(a), *origin(b)); };
  EXPECT_TRUE(same("http://EXAMPLE.com/x", "http://example.com:80/y"));
  EXPECT_TRUE(same("https://example.com", "https://example.com:443"));
  EXPECT_FALSE(same("https://example.com", "http://example.com"));
  EXPECT_FALSE(same("https://example.com", "https://example.com:8443"));
  EXPECT_FALSE(same("https://example.com", "https://api.example.com"));
}

}  // namespace
}  // namespace agentd::net
