// The toolset http: what a model may ask for, and what it is shown.
#include <gtest/gtest.h>

#include <algorithm>

#include "page.hpp"
#include "rules.hpp"
#include "tests/support/http_server.hpp"
#include "tests/support/real_http.hpp"

namespace agentd {
namespace {

using sdk::Json;
using support::HttpAsked;
using support::HttpServer;
using support::HttpTalk;
using testing::Ended;
using testing::FakeAnswer;
using testing::FakeComponent;
using testing::FakeHost;
using testing::FakeRequest;

std::string url_call(std::string_view url, std::string_view more = "") { return "{\"url\":\"" + std::string(url) + "\"" + std::string(more) + "}"; }

class HttpToolset : public ::testing::Test {
 protected:
  HttpToolset() {
    host.answer_http([this](const FakeRequest&) { return answer; });
  }
  FakeAnswer answer{200, "hello", {{"content-type", "text/plain"}, {"set-cookie", "s=1"}, {"etag", "\"1\""}}};
  FakeHost host;
};

TEST_F(HttpToolset, ShowsAPage) {
  auto http = host.create("http");
  const auto ended = http.call("fetch", url_call("https://example.com/a"));
  ASSERT_TRUE(ended.ok()) << ended.value;
  const Json page(ended.value);
  EXPECT_EQ(page["status"].integer<int>(), 200);
  EXPECT_EQ(page["text"].string(), "hello");
  EXPECT_EQ(page["url"].string(), "https://example.com/a");
  EXPECT_EQ(page["headers"]["etag"].string(), "\"1\"");
  EXPECT_FALSE(page["headers"]["set-cookie"]);
  EXPECT_TRUE(page["complete"].boolean());
}

TEST_F(HttpToolset, ReadsOnlyUnlessToldOtherwise) {
  auto http = host.create("http");
  ASSERT_EQ(http.tools().size(), 1U);
  EXPECT_EQ(http.tools()[0].name, "fetch");
  EXPECT_EQ(http.tools()[0].effect, AGENTD_EFFECT_PURE);
  EXPECT_EQ(http.call("fetch", url_call("https://example.com/", R"(,"method":"POST")")).status, AGENTD_TERMINAL);
}

TEST_F(HttpToolset, OffersToSendWhereOtherMethodsAreAllowed) {
  auto http = host.create("http", R"({"methods":["GET","POST"]})");
  ASSERT_EQ(http.tools().size(), 2U);
  EXPECT_EQ(http.tools()[1].name, "send");
  EXPECT_EQ(http.tools()[1].effect, AGENTD_EFFECT_ONCE);
  EXPECT_TRUE(http.call("send", R"({"method":"POST","url":"https://example.com/","body":"x","headers":{"Content-Type":"text/plain"}})").ok());
  const auto request = host.requests().back();
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.body, "x");
  EXPECT_EQ(http.call("send", R"({"method":"DELETE","url":"https://example.com/"})").status, AGENTD_TERMINAL);
  EXPECT_EQ(http.call("send", R"({"method":"GET","url":"https://example.com/"})").status, AGENTD_TERMINAL);
}

TEST_F(HttpToolset, LeavesWhatBecameOfASendToTheHost) {
  answer = {0, "the connection was closed after the request was sent", {}, 0, AGENTD_UNKNOWN_OUTCOME};
  auto http = host.create("http", R"({"methods":["POST"]})");
  EXPECT_EQ(http.call("send", R"({"method":"POST","url":"https://example.com/"})").status, AGENTD_UNKNOWN_OUTCOME);
}

TEST_F(HttpToolset, DoesNotKnowWhatBecameOfASendThatIsCancelled) {
  answer.hangs = true;
  auto http = host.create("http", R"({"methods":["GET","POST"]})");
  const auto sent = http.start("send", R"({"method":"POST","url":"https://example.com/"})");
  http.cancel(sent);
  EXPECT_EQ(http.wait(sent).status, AGENTD_UNKNOWN_OUTCOME);
  const auto read = http.start("fetch", url_call("https://example.com/"));
  http.cancel(read);
  EXPECT_EQ(http.wait(read).status, AGENTD_CANCELLED);
}

TEST_F(HttpToolset, AsksForPublicAddressesOnlyUnlessToldOtherwise) {
  host.create("http").call("fetch", url_call("https://example.com/"));
  EXPECT_TRUE(host.requests().back().public_only);
  host.create("http", R"({"allow_private":true})").call("fetch", url_call("https://example.com/"));
  EXPECT_FALSE(host.requests().back().public_only);
}

TEST_F(HttpToolset, KeepsToItsHosts) {
  auto http = host.create("http", R"({"hosts":["example.com","*.example.org"]})");
  for (const char* yes : {"http://example.com", "https://EXAMPLE.com:8443/x", "http://example.com./", "http://a.example.org", "http://a.b.example.org/"}) EXPECT_TRUE(http.call("fetch", url_call(yes)).ok()) << yes;
  for (const char* no : {"http://example.org", "http://a.example.com", "http://badexample.org", "http://evil.com/example.com", "http://evil.com#example.com", "http://evil.com?.example.org",
                         "http://example.com@evil.com/", "http://evil.com%2f.example.org/", "http://evil.com\\\\.example.org/", "ftp://example.com/", "example.com", "http:///x", "http://[::1]/"})
    EXPECT_EQ(http.call("fetch", url_call(no)).status, AGENTD_TERMINAL) << no;
}

TEST_F(HttpToolset, LetsAModelSetHarmlessHeadersOnly) {
  auto http = host.create("http");
  EXPECT_TRUE(http.call("fetch", url_call("https://example.com/", R"(,"headers":{"Accept":"text/html","Range":"bytes=0-9"})")).ok());
  for (const char* name : {"Host", "Cookie", "Authorization", "X-Forwarded-For", "Connection"})
    EXPECT_EQ(http.call("fetch", url_call("https://example.com/", ",\"headers\":{\"" + std::string(name) + "\":\"x\"}")).status, AGENTD_TERMINAL) << name;
  EXPECT_EQ(host.try_create("http", R"({"request_headers":["Host"]})").created().status, AGENTD_TERMINAL);
}

TEST_F(HttpToolset, CutsALongAnswerAtACharactersBorder) {
  answer = {200, "abc\xc3\xa9\xc3\xa9", {}, 3};
  auto http = host.create("http", R"({"max_bytes":6})");
  const auto ended = http.call("fetch", url_call("https://example.com/"));
  ASSERT_TRUE(ended.ok()) << ended.value;
  EXPECT_EQ(Json(ended.value)["text"].string(), "abc\xc3\xa9");
  EXPECT_FALSE(Json(ended.value)["complete"].boolean());
}

TEST_F(HttpToolset, DoesNotShowBinaryContent) {
  answer = {200, std::string("\x89PNG\0\1", 6), {{"content-type", "image/png"}}};
  const auto ended = host.create("http").call("fetch", url_call("https://example.com/"));
  EXPECT_TRUE(Json(ended.value)["binary"].boolean());
  EXPECT_EQ(Json(ended.value)["text"].string(), "");
  EXPECT_EQ(Json(ended.value)["bytes"].integer<int>(), 6);
}

TEST_F(HttpToolset, ReadsLatin1WhereTheServerSaysSo) {
  answer = {200, "caf\xe9", {{"content-type", "text/html; charset=ISO-8859-1"}}};
  EXPECT_EQ(Json(host.create("http").call("fetch", url_call("https://example.com/")).value)["text"].string(), "caf\xc3\xa9");
}

TEST_F(HttpToolset, IsNarrowedNeverWidened) {
  auto http = host.create("http", R"({"methods":["GET","POST"],"hosts":["example.com","*.example.org"],"max_bytes":100})");
  for (const char* narrow : {R"({})", R"({"methods":["GET"]})", R"({"hosts":["example.com"]})", R"({"hosts":["a.example.org","*.b.example.org"]})", R"({"max_bytes":50})", R"({"allow_private":false})"})
    EXPECT_TRUE(http.bind(narrow).ok()) << narrow << http.bind(narrow).value;
  for (const char* wide : {R"({"methods":["DELETE"]})", R"({"hosts":[]})", R"({"hosts":["example.org"]})", R"({"hosts":["*.org"]})", R"({"hosts":["*.example.com"]})", R"({"max_bytes":101})", R"({"allow_private":true})"})
    EXPECT_FALSE(http.bind(wide).ok()) << wide;
  const auto scope = static_cast<uint64_t>(std::stoul(http.bind(R"({"hosts":["example.com"]})").value));
  EXPECT_TRUE(http.call("fetch", url_call("http://example.com/"), scope).ok());
  EXPECT_FALSE(http.call("fetch", url_call("http://a.example.org/"), scope).ok());
}

TEST_F(HttpToolset, RefusesSettingsThatMakeNoSense) {
  for (const char* settings : {R"({"methods":["get"]})", R"({"hosts":["http://example.com"]})", R"({"hosts":[""]})", R"({"max_bytes":0})", R"({"timeout":"soon"})", R"({"timeout":-1})"})
    EXPECT_EQ(host.try_create("http", settings).created().status, AGENTD_TERMINAL) << settings;
  EXPECT_TRUE(host.try_create("http", R"({"timeout":"5s"})").created().ok());
}

TEST(HttpToolsetOnTheNetwork, RefusesThisMachine) {
  HttpServer server([](const HttpAsked&, HttpTalk& talk) { talk.answer(200, "secret"); });
  FakeHost host;
  host.answer_http(support::real_http());
  EXPECT_FALSE(host.create("http").call("fetch", url_call(server.url())).ok());
  EXPECT_EQ(server.asked().size(), 0U);
  const auto allowed = host.create("http", R"({"allow_private":true})").call("fetch", url_call(server.url()));
  EXPECT_EQ(Json(allowed.value)["text"].string(), "secret");
}

TEST(HttpToolsetOnTheNetwork, CutsAnAnswerThatSaysItIsTooLongForTheHost) {
  const std::string much((64 << 20) + 1, 'x');
  HttpServer server([&](const HttpAsked&, HttpTalk& talk) { talk.answer(200, much); });
  FakeHost host;
  host.answer_http(support::real_http(1 << 20));
  const auto cut = host.create("http", R"({"allow_private":true,"max_bytes":1000})").call("fetch", url_call(server.url()));
  ASSERT_TRUE(cut.ok()) << cut.value;
  EXPECT_EQ(Json(cut.value)["text"].string(), std::string(1000, 'x'));
  EXPECT_FALSE(Json(cut.value)["complete"].boolean());
}

}  // namespace
}  // namespace agentd
