#include "host/redactor.hpp"

#include <gtest/gtest.h>

namespace agentd::host {
namespace {

TEST(Redactor, TakesSecretsOutInEveryForm) {
  Redactor redactor;
  redactor.add("s3cret\"word");
  EXPECT_EQ(redactor.clean("key=s3cret\"word, again s3cret\"word"), "key=***, again ***");
  EXPECT_EQ(redactor.clean(R"({"key":"s3cret\"word"})"), R"({"key":"***"})");
  EXPECT_EQ(redactor.clean("Basic czNjcmV0IndvcmQ="), "Basic ***=");
}

TEST(Redactor, LeavesTextAlone) {
  Redactor redactor;
  redactor.add("a");
  redactor.add("");
  EXPECT_EQ(redactor.clean("a banana"), "a banana");
}

TEST(Redactor, TakesTheLongerOfTwoFirst) {
  Redactor redactor;
  redactor.add("secret");
  redactor.add("secret-and-more");
  EXPECT_EQ(redactor.clean("secret-and-more secret"), "*** ***");
}

}  // namespace
}  // namespace agentd::host
