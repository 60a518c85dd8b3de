#include "tests/unit/net/net_bench.hpp"

namespace agentd::net {
namespace {

using support::HttpAsked;
using support::HttpServer;
using support::HttpTalk;

std::string location(std::string_view to) { return "Location: " + std::string(to) + "\r\n"; }

TEST(Redirect, IsAnAnswerLikeAnyOtherUnlessFollowed) {
  HttpServer server([](const HttpAsked&, HttpTalk& talk) { talk.answer(302, "moved", location("/there")); });
  Bench bench;
  const auto got = bench.fetch(server.url());
  EXPECT_EQ(got.head.status, 302);
  EXPECT_EQ(got.body, "moved");
}

TEST(Redirect, IsFollowedToWhereItLeads) {
  HttpServer server([](const HttpAsked& asked, HttpTalk& talk) {
    if (asked.target == "/a/b") talk.answer(301, "moved", location("../c?x=1"));
    else talk.answer(200, "found");
  });
  Bench bench;
  const auto got = bench.fetch({.url = server.url("/a/b"), .max_redirects = 3});
  EXPECT_TRUE(got.ok()) << got.message();
  EXPECT_EQ(got.heads, 1);
  EXPECT_EQ(got.head.status, 200);
  EXPECT_EQ(got.head.url, server.url("/c?x=1"));
  EXPECT_EQ(got.body, "found");
}

TEST(Redirect, OfALoopEndsAtTheBound) {
  HttpServer server([](const HttpAsked&, HttpTalk& talk) { talk.answer(302, "", location("/again")); });
  Bench bench;
  const auto got = bench.fetch({.url = server.url(), .max_redirects = 4});
  EXPECT_EQ(got.failure(), ErrorClass::terminal);
  EXPECT_EQ(server.asked().size(), 5U);
}

TEST(Redirect, OfAPostBecomesAGetExceptWhereItMustNot) {
  HttpServer server([](const HttpAsked& asked, HttpTalk& talk) {
    if (asked.target == "/done") talk.answer(200, "");
    else talk.answer(std::stoi(asked.target.substr(1)), "", location("/done"));
  });
  Bench bench;
  for (const auto& [status, method] : {std::pair(301, "GET"), std::pair(302, "GET"), std::pair(303, "GET"), std::pair(307, "POST"), std::pair(308, "POST")}) {
    const auto got = bench.fetch({.method = "POST", .url = server.url("/" + std::to_string(status)), .headers = {{"Content-Type", "text/plain"}}, .body = "x", .max_redirects = 1});
    EXPECT_TRUE(got.ok()) << status << got.message();
    const auto asked = server.asked().back();
    EXPECT_EQ(asked.method, method) << status;
    EXPECT_EQ(asked.body, std::string_view(method) == "POST" ? "x" : "");
    EXPECT_EQ(asked.headers.count("content-type"), std::string_view(method) == "POST" ? 1U : 0U);
  }
}

TEST(Redirect, TakesNoSecretToAnotherOrigin) {
  HttpServer other([](const HttpAsked&, HttpTalk& talk) { talk.answer(200, ""); });
  HttpServer server([&](const HttpAsked& asked, HttpTalk& talk) {
    if (asked.target == "/same") talk.answer(200, "");
    else talk.answer(302, "", location(asked.target == "/stay" ? "/same" : other.url()));
  });
  const port::HttpHeaders headers = {{"Authorization", "Bearer s"}, {"X-Api-Key", "s"}, {"Cookie", "s"}, {"Accept", "text/html"}};
  Bench bench;
  EXPECT_TRUE(bench.fetch({.url = server.url("/stay"), .headers = headers, .max_redirects = 1}).ok());
  EXPECT_EQ(server.asked().back().headers.at("x-api-key"), "s");
  EXPECT_TRUE(bench.fetch({.url = server.url("/leave"), .headers = headers, .max_redirects = 1}).ok());
  const auto asked = other.asked().back();
  EXPECT_EQ(asked.headers.at("accept"), "text/html");
  for (const char* secret : {"authorization", "x-api-key", "cookie"}) EXPECT_EQ(asked.headers.count(secret), 0U) << secret;
}

TEST(Redirect, GoesNowhereButHttp) {
  for (const char* to : {"file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1:6379/_FLUSHALL", "http://user:pw@127.0.0.1/"}) {
    HttpServer server([&](const HttpAsked&, HttpTalk& talk) { talk.answer(302, "", location(to)); });
    Bench bench;
    EXPECT_EQ(bench.fetch({.url = server.url(), .max_redirects = 3}).failure(), ErrorClass::terminal) << to;
  }
}

TEST(Redirect, HasABoundedBodyOfItsOwn) {
  HttpServer server([&](const HttpAsked&, HttpTalk& talk) { talk.answer(302, std::string(200 << 10, 'x'), location("/there")); });
  Bench bench;
  EXPECT_EQ(bench.fetch({.url = server.url(), .max_redirects = 3}).failure(), ErrorClass::terminal);
  EXPECT_EQ(server.asked().size(), 1U);
}

}  // namespace
}  // namespace agentd::net
