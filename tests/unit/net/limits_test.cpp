// What keeps an exchange bounded, and what it may not do.
#include <zlib.h>

#include "tests/unit/net/net_bench.hpp"

namespace agentd::net {
namespace {

using support::HttpAsked;
using support::HttpServer;
using support::HttpTalk;

std::string gzipped(const std::string& text) {
  z_stream z{};
  deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&z, text.size()), 0);
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

TEST(Limits, ABodyIsDecompressed) {
  HttpServer server([](const HttpAsked& asked, HttpTalk& talk) {
    EXPECT_NE(asked.headers.at("accept-encoding").find("gzip"), std::string::npos);
    talk.answer(200, gzipped("plain words"), "Content-Encoding: gzip\r\n");
  });
  Bench bench;
  EXPECT_EQ(bench.fetch(server.url()).body, "plain words");
}

TEST(Limits, ABodyThatSaysItIsTooLongIsNotRead) {
  HttpServer server([](const HttpAsked&, HttpTalk& talk) { talk.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\nstart"); talk.hang(); });
  Bench bench;
  const auto got = bench.fetch({.url = server.url(), .max_response_bytes = 1 << 20});
  EXPECT_EQ(got.failure(), ErrorClass::terminal);
  EXPECT_EQ(got.message(), "the answer is longer than the 1MiB that are allowed");
  EXPECT_EQ(got.body, "");
}

TEST(Limits, ABodyIsCutOffAtItsBound) {
  HttpServer server([](const HttpAsked&, HttpTalk& talk) {
    talk.send("HTTP/1.1 200 OK\r\n\r\n");
    const std::string piece(64 << 10, 'x');
    while (talk.open()) talk.send(piece);
  });
  Bench bench;
  const auto got = bench.fetch({.url = server.url(), .max_response_bytes = 1 << 20});
  EXPECT_EQ(got.failure(), ErrorClass::terminal);
  EXPECT_LE(got.body.size(), 1U << 20);
}

TEST(Limits, ABombIsBoundedByWhatItWouldUnpackTo) {
  const auto bomb = gzipped(std::string(64 << 20, 'x'));  // 64 KiB that unpack to 64 MiB
  HttpServer server([&](const HttpAsked&, HttpTalk& talk) { talk.answer(200, bomb, "Content-Encoding: gzip\r\n"); });
  Bench bench;
  const auto got = bench.fetch({.url = server.url(), .max_response_bytes = 1 << 20});
  EXPECT_EQ(got.failure(), ErrorClass::terminal) << got.message();
  EXPECT_LE(got.body.size(), 1U << 20);
}

TEST(Limits, BrokenCompressionIsAnError) {
  HttpServer server([&](const HttpAsked&, HttpTalk& talk) { talk.answer(200, "this is not gzip", "Content-Encoding: gzip\r\n"); });
  Bench bench;
  EXPECT_EQ(bench.fetch(server.url()).failure(), ErrorClass::terminal);
}

TEST(Limits, HeadersAreBounded) {
  for (const auto& [lines, size] : {std::pair(300, 10), std::pair(20, 8 << 10)}) {
    HttpServer server([&](const HttpAsked&, HttpTalk& talk) {
      std::string head = "HTTP/1.1 200 OK\r\n";
      for (int i = 0; i < lines; ++i) head += "X-" + std::to_string(i) + ": " + std::string(static_cast<std::size_t>(size), 'h') + "\r\n";
      talk.send(head + "Content-Length: 0\r\n\r\n");
    });
    Bench bench;
    EXPECT_EQ(bench.fetch(server.url()).failure(), ErrorClass::terminal);
  }
}

TEST(Limits, ARequestMayNotBreakItsOwnFrame) {
  Bench bench;
  for (const auto& header : port::HttpHeaders{{"X-A", "1\r\nX-B: 2"}, {"X A", "1"}, {"", "1"}, {"Content-Length", "3"}, {"transfer-encoding", "chunked"}, {"Connection", "close"}})
    EXPECT_EQ(bench.fetch({.url = "http://127.0.0.1:9/", .headers = {header}}).failure(), ErrorClass::terminal) << header.first;
  EXPECT_EQ(bench.fetch({.method = "GET /x", .url = "http://127.0.0.1:9/"}).failure(), ErrorClass::terminal);
  EXPECT_EQ(bench.fetch({.method = "HEAD", .url = "http://127.0.0.1:9/", .body = "x"}).failure(), ErrorClass::terminal);
}

TEST(Limits, TheEnvironmentChoosesNoProxy) {
  ASSERT_EQ(setenv("http_proxy", "http://127.0.0.1:9", 1), 0);
  HttpServer server([](const HttpAsked&, HttpTalk& talk) { talk.answer(200, "direct"); });
  {
    Bench bench;
    EXPECT_EQ(bench.fetch(server.url()).body, "direct");
  }
  unsetenv("http_proxy");
}

TEST(Limits, AProxyIsUsedWhereTheSettingsNameOne) {
  HttpServer proxy([](const HttpAsked& asked, HttpTalk& talk) { talk.answer(200, "for " + asked.target); });
  Bench bench({.proxy = proxy.url("")});
  EXPECT_EQ(bench.fetch("http://example.invalid/x").body, "for http://example.invalid/x");
  EXPECT_EQ(bench.fetch({.url = "http://example.invalid/x", .public_only = true}).failure(), ErrorClass::policy);
}

TEST(PublicOnly, RefusesThisMachineInEverySpelling) {
  HttpServer server([](const HttpAsked&, HttpTalk& talk) { talk.answer(200, "secret"); });
  Bench bench;
  const std::string port = std::to_string(server.port());
  for (const std::string host : {"127.0.0.1", "localhost", "0x7f.1", "0x7f000001", "2130706433", "127.1", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0"}) {
    const auto got = bench.fetch({.url = "http://" + host + ":" + port + "/", .public_only = true});
    EXPECT_EQ(got.failure(), ErrorClass::policy) << host << ": " << got.message();
  }
  EXPECT_EQ(server.asked().size(), 0U);
}

TEST(PublicOnly, RefusesAPooledConnectionThatAnotherRequestOpened) {
  HttpServer server([](const HttpAsked&, HttpTalk& talk) { talk.answer(200, "secret"); });
  Bench bench;
  EXPECT_TRUE(bench.fetch(server.url()).ok());
  const auto got = bench.fetch({.url = server.url(), .public_only = true});
  EXPECT_EQ(got.failure(), ErrorClass::policy) << got.message();
  EXPECT_EQ(server.asked().size(), 1U);
}

}  // namespace
}  // namespace agentd::net
