#include "core/manifest/secrets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/unit/manifest/temporary_folder.hpp"

namespace agentd::manifest {
namespace {

using testing::HasSubstr;

TEST(Secret, ComesFromTheEnvironment) {
  EXPECT_EQ(resolve_secret("env:KEY", {{"KEY", "sk"}}), "sk");
  EXPECT_THAT(resolve_secret("env:KEY", {}).error().message, HasSubstr("the environment has no KEY"));
  EXPECT_THAT(resolve_secret("env:KEY", {{"KEY", ""}}).error().message, HasSubstr("is empty"));
}

TEST(Secret, ComesFromAFileWithoutItsLineEnd) {
  TemporaryFolder folder;
  EXPECT_EQ(resolve_secret("file:" + folder.write("key", "sk\n"), {}), "sk");
  EXPECT_EQ(resolve_secret("file:" + folder.write("crlf", "a\nb\r\n"), {}), "a\nb");
  EXPECT_FALSE(resolve_secret("file:" + folder.write("empty", "\n"), {}));
  EXPECT_FALSE(resolve_secret("file:" + folder.path("none"), {}));
  EXPECT_THAT(resolve_secret("file:" + folder.path(), {}).error().message, HasSubstr("not a regular file"));
}

TEST(Secret, IsNotTrustedInAFileThatOthersMayWrite) {
  TemporaryFolder folder;
  const auto file = folder.write("key", "sk\n");
  chmod(file.c_str(), 0646);
  EXPECT_THAT(resolve_secret("file:" + file, {}).error().message, HasSubstr("can be written by others"));
  chmod(file.c_str(), 0644);
  EXPECT_EQ(resolve_secret("file:" + file, {}), "sk");
}

TEST(Secret, ComesFromSystemdsCredentials) {
  TemporaryFolder folder;
  folder.write("credentials/key", "sk");
  const Environment environment = {{"CREDENTIALS_DIRECTORY", folder.path("credentials")}};
  EXPECT_EQ(resolve_secret("credential:key", environment), "sk");
  EXPECT_FALSE(resolve_secret("credential:../credentials/key", environment));
  EXPECT_FALSE(resolve_secret("credential:key", {}));
}

TEST(Secret, IsNeverLiteral) {
  const auto got = resolve_secret("sk-abcdef", {});
  ASSERT_FALSE(got);
  EXPECT_THAT(got.error().message, testing::Not(HasSubstr("sk-abcdef")));
}

TEST(Settings, GetValuesInPlaceOfReferences) {
  TemporaryFolder folder;
  const auto file = folder.write("t", "tok\n");
  const auto got = resolve_settings(R"({"api_key":"env:K","list":["env:K","plain"],"nested":{"token":"file:)" + file + R"("},"url":"file:/x.db"})", {{"K", "sk"}});
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->json, R"({"api_key":"sk","list":["sk","plain"],"nested":{"token":"tok"},"url":"file:/x.db"})");
  EXPECT_THAT(got->secrets, testing::UnorderedElementsAre("sk", "sk", "tok"));
  EXPECT_THAT(resolve_settings(R"({"api_key":"env:NONE"})", {}).error().message, HasSubstr("\"api_key\": the environment has no NONE"));
}

TEST(Settings, TellOfAValueThatIsShort) {
  const auto got = resolve_settings(R"({"api_key":"env:K","token":"env:L"})", {{"K", "sk"}, {"L", "12345678"}});
  ASSERT_TRUE(got);
  ASSERT_EQ(got->notes.size(), 1u);
  EXPECT_THAT(got->notes[0], HasSubstr("\"api_key\": the value of env:K has fewer than 8 bytes"));
  EXPECT_THAT(got->notes[0], testing::Not(HasSubstr("sk")));
}

TEST(Settings, RefuseAnAddressThatIsMoreThanOneLine) {
  const auto got = resolve_settings(R"({"base_url":"env:U"})", {{"U", "http://h/\nsecret: 1"}});
  ASSERT_FALSE(got);
  EXPECT_THAT(got.error().message, HasSubstr("\"base_url\": the value of env:U has a space, a control character"));
  EXPECT_THAT(got.error().message, testing::Not(HasSubstr("secret")));
  EXPECT_TRUE(resolve_settings(R"({"url":"env:U"})", {{"U", "postgres://u:p@h/d"}}));
}

}  // namespace
}  // namespace agentd::manifest
