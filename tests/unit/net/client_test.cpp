#include "core/net/client.hpp"

#include <algorithm>
#include <latch>

#include "tests/unit/net/net_bench.hpp"

namespace agentd::net {
namespace {

using support::HttpAsked;
using support::HttpServer;
using support::HttpTalk;

TEST(Client, BringsStatusHeadersAndBody) {
  HttpServer server([](const HttpAsked&, HttpTalk& talk) { talk.answer(404, "not here", "X-Thing: 7\r\nContent-Type: text/plain\r\n"); });
  Bench bench;
  const auto got = bench.fetch(server.url("/a?b=c"));
  EXPECT_TRUE(got.ok()) << got.message();
  EXPECT_EQ(got.head.status, 404);
  EXPECT_EQ(got.body, "not here");
  EXPECT_EQ(got.head.url, server.url("/a?b=c"));
  EXPECT_NE(std::ranges::find(got.head.headers, std::pair<std::string, std::string>("x-thing", "7")), got.head.headers.end());
  EXPECT_EQ(server.asked().front().target, "/a?b=c");
}

TEST(Client, SendsMethodHeadersAndBody) {
  HttpServer server([](const HttpAsked&, HttpTalk& talk) { talk.answer(200, ""); });
  Bench bench;
  for (const char* method : {"POST", "PUT", "PATCH", "DELETE"}) {
    port::HttpRequest request{.method = method, .url = server.url(), .headers = {{"Content-Type", "application/json"}, {"X-Empty", ""}}, .body = "{\"a\":1}"};
    EXPECT_TRUE(bench.fetch(std::move(request)).ok());
    const auto asked = server.asked().back();
    EXPECT_EQ(asked.method, method);
    EXPECT_EQ(asked.body, "{\"a\":1}");
    EXPECT_EQ(asked.headers.at("content-type"), "application/json");
    EXPECT_EQ(asked.headers.at("x-empty"), "");
    EXPECT_EQ(asked.headers.count("expect"), 0U);
  }
  for (const char* method : {"GET", "HEAD", "DELETE", "OPTIONS"}) {
    EXPECT_TRUE(bench.fetch({.method = method, .url = server.url()}).ok());
    EXPECT_EQ(server.asked().back().method, method);
    EXPECT_EQ(server.asked().back().body, "");
  }
}

TEST(Client, KeepsOneConnectionForRequestsInTurn) {
  HttpServer server([](const HttpAsked&, HttpTalk& talk) { talk.answer(200, "x"); });
  Bench bench;
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(bench.fetch(server.url()).ok());
  EXPECT_EQ(server.connections(), 1);
}

TEST(Client, HasManyInFlightAtOnce) {
  HttpServer server([](const HttpAsked& asked, HttpTalk& talk) { talk.answer(200, asked.target); });
  Bench bench;
  std::vector<Got> got(100);
  for (std::size_t i = 0; i < got.size(); ++i) bench.start({.url = server.url("/" + std::to_string(i))}, got[i]);
  EXPECT_TRUE(bench.until([&] { return bench.client().in_flight() == 0 && got.back().end; }));
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i].body, "/" + std::to_string(i));
}

TEST(Client, ClosesTheConnectionsThatABurstLeavesBehind) {
  constexpr int kBurst = 300;
  std::latch all_here(kBurst);
  HttpServer server([&](const HttpAsked&, HttpTalk& talk) {
    all_here.arrive_and_wait();
    talk.answer(200, "x");
  });
  Bench bench;
  std::vector<Got> got(kBurst);
  for (auto& one : got) bench.start({.url = server.url()}, one);
  EXPECT_TRUE(bench.until([&] { return std::ranges::all_of(got, [](const Got& g) { return g.ok(); }); }));
  EXPECT_EQ(server.connections(), kBurst);
  bench.world().advance(59s);
  EXPECT_EQ(server.open(), static_cast<std::size_t>(kBurst));
  bench.world().advance(2min);
  EXPECT_TRUE(bench.until([&] { return server.open() <= 128; })) << server.open();
}

TEST(Client, CallsNoHandlerInsideStart) {
  Bench bench;
  Got got;
  bench.start({.url = "nonsense"}, got);
  EXPECT_EQ(got.ends, 0);
  EXPECT_TRUE(bench.until([&] { return got.ends == 1; }));
  EXPECT_EQ(got.failure(), ErrorClass::terminal);
}

TEST(Client, ReadsAChunkedAnswerPieceByPiece) {
  HttpServer server([](const HttpAsked&, HttpTalk& talk) {
    talk.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    talk.send("2\r\nde\r\n0\r\nX-Trailer: ignored\r\n\r\n");
  });
  Bench bench;
  const auto got = bench.fetch(server.url());
  EXPECT_TRUE(got.ok()) << got.message();
  EXPECT_EQ(got.body, "abcde");
}

TEST(Client, HandsSmallChunksOverTogetherAndAtOnce) {
  HttpServer server([](const HttpAsked& asked, HttpTalk& talk) {
    std::string answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 100; ++i) answer += "3\r\nabc\r\n";
    talk.send(answer);
    if (asked.target == "/hang") talk.hang();
    talk.send("0\r\n\r\n");
  });
  for (const bool wants_more : {true, false}) {
    Bench bench;
    int calls = 0;
    std::string body;
    std::optional<Result<void>> end;
    const auto id = bench.client().start({.url = server.url("/hang")}, {.head = {}, .body = [&](std::string_view chunk) {
                                                                         ++calls;
                                                                         body += chunk;
                                                                         return wants_more;
                                                                       },
                                                                       .end = [&](Result<void> how) { end = std::move(how); }});
    EXPECT_TRUE(bench.until([&] { return body.size() == 300 || end; }));  // what came is not held until more does
    EXPECT_LT(calls, 20);
    if (wants_more) bench.client().abort(id);
    EXPECT_TRUE(bench.until([&] { return end.has_value(); }));  // though nothing else comes
    EXPECT_EQ(end->error().message, "aborted");
    EXPECT_EQ(body.substr(0, 6), "abcabc");
  }
  Bench bench;
  const auto whole = bench.fetch(server.url("/"));
  EXPECT_EQ(whole.body.size(), 300U);
}

TEST(Client, SkipsInterimAnswers) {
  HttpServer server([](const HttpAsked&, HttpTalk& talk) { talk.send("HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"); });
  Bench bench;
  const auto got = bench.fetch(server.url());
  EXPECT_EQ(got.heads, 1);
  EXPECT_EQ(got.head.status, 200);
  EXPECT_EQ(got.head.headers.size(), 1U);
}

TEST(Client, SaysWhyAConnectionCouldNotBeMade) {
  Bench bench;
  const auto got = bench.fetch("http://127.0.0.1:9/");
  EXPECT_EQ(got.failure(), ErrorClass::retryable);
  EXPECT_EQ(got.message(), "could not connect to 127.0.0.1:9: Connection refused");
}

TEST(Client, SaysThatANameIsUnknown) {
  Bench bench;
  const auto got = bench.fetch("http://no-such-host.invalid/");
  EXPECT_EQ(got.failure(), ErrorClass::retryable);
  EXPECT_NE(got.message().find("\"no-such-host.invalid\""), std::string::npos) << got.message();
}

TEST(Client, LooksAnUnknownNameUpForEverybodyWhoAsks) {
  Bench bench;
  std::vector<Got> got(20);
  for (auto& one : got) bench.start({.url = "http://no-such-host.invalid/"}, one);
  EXPECT_TRUE(bench.until([&] { return std::ranges::all_of(got, [](const Got& g) { return g.ends == 1; }); }));
}

// A server that takes the request and then misbehaves in one way.
struct Misbehaviour {
  const char* name;
  void (*act)(const HttpAsked&, HttpTalk&);
  bool is_answer_broken;  // so that no repetition would help
};
const Misbehaviour kMisbehaviours[] = {
    {"closes", [](const HttpAsked&, HttpTalk& talk) { talk.close(); }, false},
    {"resets", [](const HttpAsked&, HttpTalk& talk) { talk.reset(); }, false},
    {"half a body", [](const HttpAsked&, HttpTalk& talk) { talk.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"); talk.close(); }, false},
    {"half a chunk", [](const HttpAsked&, HttpTalk& talk) { talk.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nhalf"); talk.close(); }, false},
    {"half a head", [](const HttpAsked&, HttpTalk& talk) { talk.send("HTTP/1.1 200 OK\r\nContent-Le"); talk.close(); }, false},
    {"no HTTP", [](const HttpAsked&, HttpTalk& talk) { talk.send("hello, who is there?\r\n\r\n"); talk.close(); }, true},
};

TEST(Client, SaysOfEveryBrokenAnswerWhetherToTryAgain) {
  for (const auto& misbehaviour : kMisbehaviours) {
    HttpServer server(misbehaviour.act);
    Bench bench;
    const auto read = bench.fetch(server.url());
    EXPECT_EQ(read.failure(), misbehaviour.is_answer_broken ? ErrorClass::terminal : ErrorClass::retryable) << misbehaviour.name << ": " << read.message();
    const auto write = bench.fetch({.method = "POST", .url = server.url(), .body = "x"});
    EXPECT_EQ(write.failure(), misbehaviour.is_answer_broken ? ErrorClass::terminal : ErrorClass::unknown_outcome) << misbehaviour.name << ": " << write.message();
  }
}

TEST(Client, NeverSendsAPostTwice) {
  // The pooled connection dies as the second request arrives on it: libcurl would send that again on a new one.
  std::atomic<int> posts = 0;
  HttpServer server([&](const HttpAsked& asked, HttpTalk& talk) {
    if (asked.method == "POST") ++posts;
    if (asked.target == "/die") talk.close();
    else talk.answer(200, "");
  });
  Bench bench;
  EXPECT_TRUE(bench.fetch(server.url()).ok());
  const auto got = bench.fetch({.method = "POST", .url = server.url("/die"), .body = "x"});
  EXPECT_EQ(got.failure(), ErrorClass::unknown_outcome) << got.message();
  EXPECT_EQ(posts, 1);
}

TEST(Client, SendsAGetAgainWhenItsPooledConnectionHadDied) {
  std::atomic<int> dead = 0;
  HttpServer server([&](const HttpAsked& asked, HttpTalk& talk) {
    if (asked.target == "/die" && dead++ == 0) talk.close();
    else talk.answer(200, "");
  });
  Bench bench;
  EXPECT_TRUE(bench.fetch(server.url()).ok());
  EXPECT_TRUE(bench.fetch(server.url("/die")).ok());
}

TEST(Client, AbortsAnExchange) {
  HttpServer server([](const HttpAsked&, HttpTalk& talk) { talk.hang(); });
  Bench bench;
  Got got;
  const auto id = bench.start({.url = server.url()}, got);
  EXPECT_TRUE(bench.until([&] { return server.asked().size() == 1; }));
  bench.client().abort(id);
  EXPECT_EQ(got.ends, 0);
  EXPECT_TRUE(bench.until([&] { return got.ends == 1; }));
  EXPECT_EQ(got.message(), "aborted");
  bench.client().abort(id);  // it has ended
  bench.world().settle();
  EXPECT_EQ(got.ends, 1);
}

TEST(Client, DoesNotKnowWhatBecameOfAPostThatItAborts) {
  HttpServer server([](const HttpAsked&, HttpTalk& talk) { talk.hang(); });
  for (const auto& [method, how] : {std::pair{"GET", ErrorClass::terminal}, {"POST", ErrorClass::unknown_outcome}}) {
    Bench bench;
    Got got;
    const auto before = server.asked().size();
    const auto id = bench.start({.method = method, .url = server.url()}, got);
    EXPECT_TRUE(bench.until([&] { return server.asked().size() > before; }));
    bench.client().abort(id);
    EXPECT_TRUE(bench.until([&] { return got.ends == 1; }));
    EXPECT_EQ(got.failure(), how) << method;
  }
  Bench bench;
  Got unsent;
  bench.client().abort(bench.start({.method = "POST", .url = server.url()}, unsent));
  EXPECT_TRUE(bench.until([&] { return unsent.ends == 1; }));
  EXPECT_EQ(unsent.failure(), ErrorClass::terminal);
}

TEST(Client, AbortsBeforeAnythingWasSent) {
  Bench bench;
  Got got;
  bench.client().abort(bench.start({.url = "http://127.0.0.1:9/"}, got));
  EXPECT_TRUE(bench.until([&] { return got.ends == 1; }));
  EXPECT_EQ(got.message(), "aborted");
}

TEST(Client, AbortsWhereTheHandlerSaysSo) {
  HttpServer server([](const HttpAsked&, HttpTalk& talk) { talk.answer(200, "body"); });
  for (const bool at_head : {true, false}) {
    Bench bench;
    int bodies = 0;
    std::optional<Result<void>> end;
    bench.client().start({.url = server.url()}, {.head = [&](const port::HttpHead&) { return !at_head; },
                                                 .body = [&](std::string_view) { ++bodies; return false; },
                                                 .end = [&](Result<void> r) { end = std::move(r); }});
    EXPECT_TRUE(bench.until([&] { return end.has_value(); }));
    EXPECT_EQ(end->error().message, "aborted");
    EXPECT_EQ(bodies, at_head ? 0 : 1);
  }
}

TEST(Client, MayBeUsedFromInsideItsHandlers) {
  HttpServer server([](const HttpAsked& asked, HttpTalk& talk) {
    if (asked.target == "/hang") talk.hang();
    else talk.answer(200, "first");
  });
  Bench bench;
  Got second, hanging;
  const auto hung = bench.start({.url = server.url("/hang")}, hanging);
  bench.client().start({.url = server.url()}, {.head = {}, .body = [&](std::string_view) {
                                                 bench.client().abort(hung);
                                                 bench.start({.url = server.url("/second")}, second);
                                                 return true;
                                               },
                                               .end = {}});
  EXPECT_TRUE(bench.until([&] { return second.ends == 1 && hanging.ends == 1; }));
  EXPECT_TRUE(second.ok());
  EXPECT_EQ(hanging.message(), "aborted");
}

TEST(Client, HoldsTheBodyBackWhilePaused) {
  const std::string large(4 << 20, 'x');
  HttpServer server([&](const HttpAsked&, HttpTalk& talk) { talk.answer(200, large); });
  Bench bench;
  std::size_t received = 0;
  int calls = 0;
  bool ended = false;
  port::HttpClient::Id id = 0;
  id = bench.client().start({.url = server.url()}, {.head = {}, .body = [&](std::string_view chunk) {
                                                      received += chunk.size();
                                                      ++calls;
                                                      bench.client().pause(id, true);
                                                      return true;
                                                    },
                                                    .end = [&](Result<void> r) { ended = r.has_value(); }});
  int turns = 0;
  while (!ended && turns < 100'000) {
    const int before = calls;
    if (!bench.until([&] { return calls > before || ended; })) break;
    bench.world().settle();
    EXPECT_LE(calls, before + 1) << "a call while paused";
    bench.client().pause(id, false);
    ++turns;
  }
  EXPECT_TRUE(ended);
  EXPECT_EQ(received, large.size());
}

TEST(Client, EndsAnExchangeThatTakesTooLong) {
  HttpServer server([](const HttpAsked&, HttpTalk& talk) { talk.hang(); });
  Bench bench;
  Got got;
  bench.start({.url = server.url(), .timeout = 30s}, got);
  EXPECT_TRUE(bench.until([&] { return server.asked().size() == 1; }));
  bench.world().advance(29s);
  EXPECT_EQ(got.ends, 0);
  bench.world().advance(1s);
  EXPECT_EQ(got.failure(), ErrorClass::retryable);
  EXPECT_NE(got.message().find("no whole answer within 30s"), std::string::npos) << got.message();
}

TEST(Client, EndsAnExchangeThatHasGoneQuiet) {
  std::latch nine_seconds_later(1);
  HttpServer server([&](const HttpAsked&, HttpTalk& talk) {
    nine_seconds_later.wait();
    talk.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ntrickle");
    talk.hang();
  });
  Bench bench;
  Got got;
  bench.start({.url = server.url(), .timeout = 1h, .idle_timeout = 10s}, got);
  bench.world().advance(9s);  // the first byte is still to come, then the clock starts anew
  nine_seconds_later.count_down();
  EXPECT_TRUE(bench.until([&] { return !got.body.empty(); }));
  bench.world().advance(9s);
  EXPECT_EQ(got.ends, 0) << got.message();
  bench.world().advance(1s);
  EXPECT_EQ(got.ends, 1);
  EXPECT_NE(got.message().find("nothing came for 10s"), std::string::npos) << got.message();
}

TEST(Client, DoesNotCallAPausedExchangeQuiet) {
  HttpServer server([](const HttpAsked&, HttpTalk& talk) {
    talk.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx");
    talk.hang();
  });
  Bench bench;
  Got got;
  const auto id = bench.start({.url = server.url(), .timeout = 1h, .idle_timeout = 10s}, got);
  EXPECT_TRUE(bench.until([&] { return !got.body.empty(); }));
  bench.client().pause(id, true);
  bench.world().advance(5min);
  EXPECT_EQ(got.ends, 0) << got.message();
}

TEST(Client, DropsWhatIsInFlightWhenItGoes) {
  HttpServer server([](const HttpAsked&, HttpTalk& talk) { talk.hang(); });
  Bench bench;
  Got got;
  bench.start({.url = server.url(), .timeout = 30s}, got);
  EXPECT_TRUE(bench.until([&] { return server.asked().size() == 1; }));
  bench.start({.url = server.url(), .timeout = 30s}, got);
  bench.drop_client();
  bench.world().advance(1h);
  EXPECT_EQ(got.ends, 0);
}

}  // namespace
}  // namespace agentd::net
