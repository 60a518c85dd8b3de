#include "host/api/access.hpp"

#include <gtest/gtest.h>

namespace agentd::api {
namespace {

constexpr const char* kEyes = "0123456789abcdef-eyes";
constexpr const char* kOps = "0123456789abcdef-ops";

Access two() {
  Access access;
  EXPECT_FALSE(access.add({"eyes", Role::viewer}, kEyes));
  EXPECT_FALSE(access.add({"ops", Role::operator_}, kOps));
  return access;
}

TEST(Access, KnowsWhoseTokenARequestShows) {
  const auto access = two();
  ASSERT_TRUE(access.caller(std::string("Bearer ") + kOps));
  EXPECT_EQ(access.caller(std::string("Bearer ") + kOps)->name, "ops");
  EXPECT_EQ(access.caller(std::string("bearer   ") + kEyes)->role, Role::viewer);
}

TEST(Access, KnowsNobodyElse) {
  const auto access = two();
  for (const std::string shown : {"", "Bearer", "Bearer ", "Basic 0123456789abcdef-ops", "0123456789abcdef-ops", "Bearer 0123456789abcdef-op", "Bearer 0123456789abcdef-ops ", "Bearer 0123456789ABCDEF-OPS"})
    EXPECT_FALSE(access.caller(shown)) << shown;
}

TEST(Access, IsOpenWithoutTokens) {
  EXPECT_TRUE(Access().is_open());
  EXPECT_FALSE(two().is_open());
}

TEST(Access, RefusesWhatCanBeGuessedMixedUpOrNotSent) {
  auto access = two();
  EXPECT_TRUE(access.add({"short", Role::admin}, "0123456789abcde"));
  EXPECT_EQ(access.add({"twin", Role::admin}, kOps), "is the same as that of \"ops\"");
  for (const std::string token : {"0123456789abcdef ghi", "0123456789abcdef\n", "0123456789abcd\xc3\xa9g"}) EXPECT_TRUE(access.add({"odd", Role::admin}, token)) << token;
}

TEST(Access, OrdersRoles) {
  EXPECT_LT(Role::metrics, Role::viewer);
  EXPECT_LT(Role::viewer, Role::operator_);
  EXPECT_LT(Role::operator_, Role::admin);
  for (const auto role : {Role::metrics, Role::viewer, Role::operator_, Role::admin}) EXPECT_EQ(role_named(name(role)), role);
  EXPECT_FALSE(role_named("none"));
  EXPECT_FALSE(role_named("root"));
}

}  // namespace
}  // namespace agentd::api
