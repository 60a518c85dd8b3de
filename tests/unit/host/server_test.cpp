#include "host/api/server.hpp"

#include <gtest/gtest.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <future>
#include <thread>

#include "core/base/real_world.hpp"
#include "host/api/problem.hpp"
#include "host/cli/http.hpp"

namespace agentd::api {
namespace {
namespace asio = boost::asio;
using asio::ip::tcp;

Async<Answer> echo(Request request) {
  std::string body = request.capture("word") + "|" + request.parameter("q") + "|" + request.body;
  co_return Document{200, "text/plain", std::move(body)};
}
Async<Answer> throws(Request) {
  throw std::runtime_error("boom");
  co_return Document();
}
Async<Answer> waits_for_the_end(World world, std::promise<void>& entered, Request request) {
  entered.set_value();
  const bool slept = co_await sleep(world.timers, std::chrono::hours(1), request.stopping);
  co_return Document{200, "text/plain", slept ? "slept" : "stopped"};
}
Async<void> two_events(Stream& stream) {
  co_await stream.write("id: 1\ndata: {}\n\n");
  co_await stream.write("id: 2\ndata: {}\n\n");
}
Async<Answer> events(Request) { co_return EventStream{two_events}; }
Async<void> floods(Stream& stream, std::promise<void>& cut_off) {
  const std::string text(1 << 20, 'x');
  while (co_await stream.write(text)) {
  }
  cut_off.set_value();
}
Async<Answer> flood(std::promise<void>& cut_off) {
  co_return EventStream{[&cut_off](Stream& stream) { return floods(stream, cut_off); }};
}

class HttpServer : public testing::Test {
 protected:
  HttpServer() {
    routes_.add("GET", "/echo/{word}", echo);
    routes_.add("POST", "/echo/{word}", echo);
    routes_.add("GET", "/throws", throws);
    routes_.add("GET", "/events", events);
    routes_.add("GET", "/waits", [this](Request r) { return waits_for_the_end(world_, entered_, std::move(r)); });
    routes_.add("GET", "/flood", [this](Request) { return flood(cut_off_); });
  }
  ~HttpServer() override {
    if (engine_.joinable()) stop();
  }
  void start(ServerLimits limits = {}) {
    server_.emplace(world_, routes_, limits, [this](const Served& served) { served_.push_back(served); });
    const auto listening = server_->listen("127.0.0.1:0");
    ASSERT_TRUE(listening) << listening.error().message;
    url_ = "http://127.0.0.1:" + std::to_string(server_->port());
    engine_ = std::thread([this] { io_.run(); });
  }
  void stop() {
    asio::post(io_, [this] { spawn(io_.get_executor(), server_->stop()); });
    engine_.join();
  }
  cli::Reply ask(std::string_view method, std::string_view target, std::string body = "") {
    const cli::Http http(*cli::Place::of(url_), url_, "");
    auto reply = http.exchange(method, target, std::move(body), std::chrono::seconds(20));
    if (!reply) ADD_FAILURE() << reply.error().message;
    return reply.value_or(cli::Reply());
  }
  tcp::socket connect() {
    tcp::socket socket(client_io_);
    socket.connect({asio::ip::make_address("127.0.0.1"), server_->port()});
    return socket;
  }
  // Sends bytes as they are and answers everything that comes until the server closes.
  std::string say(const std::string& bytes) {
    auto socket = connect();
    boost::system::error_code error;
    asio::write(socket, asio::buffer(bytes), error);
    std::string all;
    asio::read(socket, asio::dynamic_buffer(all), error);
    return all;
  }

  asio::io_context io_{1};
  asio::io_context client_io_;
  SystemClock clock_;
  AsioTimers timers_{io_};
  SystemRandom random_;
  World world_{io_.get_executor(), clock_, timers_, random_};
  Routes routes_;
  std::promise<void> cut_off_, entered_;
  std::vector<Served> served_;
  std::optional<Server> server_;
  std::thread engine_;
  std::string url_;
};

TEST_F(HttpServer, AnswersWithDecodedParts) {
  start();
  EXPECT_EQ(ask("GET", "/echo/a%2Fb?q=c%20d").body, "a/b|c d|");
  EXPECT_EQ(ask("POST", "/echo/x", "{}").body, "x||{}");
  stop();
  ASSERT_EQ(served_.size(), 2U);
  EXPECT_EQ(served_[1].route, "/echo/{word}");
  EXPECT_EQ(served_[1].method, "POST");
}

TEST_F(HttpServer, SaysWhatIsWrongAsProblems) {
  start();
  EXPECT_EQ(ask("GET", "/nothing").status, 404);
  const auto method = ask("DELETE", "/echo/x");
  EXPECT_EQ(method.status, 405);
  EXPECT_EQ(method.headers.at("allow"), "GET, POST");
  EXPECT_EQ(method.headers.at("content-type"), "application/problem+json");
  const auto thrown = ask("GET", "/throws");
  EXPECT_EQ(thrown.status, 500);
  EXPECT_NE(thrown.body.find("boom"), std::string::npos);
}

TEST_F(HttpServer, KeepsConnectionsOpen) {
  start();
  const std::string request = "GET /echo/a HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const auto both = say(request + "GET /echo/b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_NE(both.find("a||"), std::string::npos);
  EXPECT_NE(both.find("b||"), std::string::npos);
}

TEST_F(HttpServer, RefusesForeignHostsAndOrigins) {
  start();
  EXPECT_NE(say("GET /echo/a HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n").find(" 403 "), std::string::npos);
  EXPECT_NE(say("GET /echo/a HTTP/1.1\r\nConnection: close\r\n\r\n").find(" 403 "), std::string::npos);
  EXPECT_NE(say("GET /echo/a HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\nConnection: close\r\n\r\n").find(" 403 "), std::string::npos);
}

TEST_F(HttpServer, TakesJsonOnly) {
  start();
  EXPECT_NE(say("POST /echo/a HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}").find(" 415 "),
            std::string::npos);
}

TEST_F(HttpServer, BoundsHeadersAndBodies) {
  start({.header_bytes = 512, .body_bytes = 16});
  EXPECT_NE(say("GET /echo/a HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(1024, 'x') + "\r\n\r\n").find(" 431 "), std::string::npos);
  EXPECT_NE(say("POST /echo/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 17\r\n\r\n").find(" 413 "), std::string::npos);
  EXPECT_NE(say("POST /echo/a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n11\r\n01234567890123456\r\n0\r\n\r\n").find(" 413 "), std::string::npos);
  EXPECT_NE(say("nonsense\r\n\r\n").find(" 400 "), std::string::npos);
}

TEST_F(HttpServer, CutsOffClientsThatSendTooSlowly) {
  start({.header = Millis(50)});
  EXPECT_EQ(say("GET /echo/a HTT"), "");  // and returns: the server closed
}

TEST_F(HttpServer, CutsOffClientsThatReadTooSlowly) {
  start({.write = Millis(50)});
  auto socket = connect();
  asio::write(socket, asio::buffer(std::string("GET /flood HTTP/1.1\r\nHost: localhost\r\n\r\n")));
  cut_off_.get_future().wait();
}

TEST_F(HttpServer, BoundsConnections) {
  start({.connections = 1});
  auto first = connect();
  asio::write(first, asio::buffer(std::string("GET /echo/a HTTP/1.1\r\nHost: localhost\r\n\r\n")));
  std::array<char, 1> byte{};
  asio::read(first, asio::buffer(byte));  // it is being served
  EXPECT_EQ(say("GET /echo/a HTTP/1.1\r\nHost: localhost\r\n\r\n"), "");
}

TEST_F(HttpServer, StreamsEventsAndEndsThemInOrder) {
  start();
  const cli::Http http(*cli::Place::of(url_), url_, "");
  std::vector<std::string> lines;
  const auto end = http.stream("/events", "", std::chrono::seconds(5), [&](std::string_view line) {
    lines.emplace_back(line);
    return true;
  });
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(lines, (std::vector<std::string>{"id: 1", "data: {}", "", "id: 2", "data: {}", ""}));
}

TEST_F(HttpServer, LetsOpenRequestsEndWhenItStops) {
  start();
  auto waiting = std::async(std::launch::async, [this] { return ask("GET", "/waits").body; });
  entered_.get_future().wait();
  stop();
  EXPECT_EQ(waiting.get(), "stopped");
}

TEST_F(HttpServer, ListensOnLoopbackOnly) {
  Server server(world_, routes_, {}, {});
  const auto refused = server.listen("0.0.0.0:0");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("not supported yet"), std::string::npos);
}

TEST(HttpClient, SaysWhenNobodyListens) {
  const cli::Http http(*cli::Place::of("http://127.0.0.1:1"), "http://127.0.0.1:1", "");
  const auto reply = http.exchange("GET", "/", "", std::chrono::seconds(2));
  ASSERT_FALSE(reply);
  EXPECT_NE(reply.error().message.find("host not reachable at http://127.0.0.1:1"), std::string::npos);
  EXPECT_NE(reply.error().message.find("is `agentd serve` running?"), std::string::npos);
}

}  // namespace
}  // namespace agentd::api
