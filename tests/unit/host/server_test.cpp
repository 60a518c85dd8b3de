#include "host/api/head.hpp"
#include "host/api/server.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
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
Async<Answer> counted(Request request) {
  std::size_t count = 0;
  while (true) {
    const auto piece = co_await request.incoming->next();
    if (!piece) co_return Document{400, "text/plain", "broken off||"};
    if (piece->empty()) co_return Document{200, "text/plain", std::to_string(count) + "||"};
    count += piece->size();
  }
}
Async<Answer> alive(Request) { co_return Document{200, "text/plain", "alive"}; }
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
    routes_.add("GET", "/echo/{word}", echo).reading({"q", "session"});
    routes_.add("POST", "/echo/{word}", echo);
    routes_.add_streamed("POST", "/counted", counted);
    routes_.add("GET", "/throws", throws);
    routes_.add_vital("GET", "/alive", alive).for_any_query();
    routes_.add("GET", "/events", events);
    routes_.add("GET", "/waits", [this](Request r) { return waits_for_the_end(world_, entered_, std::move(r)); });
    routes_.add("GET", "/flood", [this](Request) { return flood(cut_off_); });
  }
  ~HttpServer() override {
    if (engine_.joinable()) stop();
  }
  void start(ServerLimits limits = {}) {
    server_.emplace(world_, routes_, limits, [this](const Served& served) { served_.push_back(served); }, [this](const std::string& text) { warnings_.push_back(text); });
    const auto bound = server_->bind("127.0.0.1:0");
    ASSERT_TRUE(bound) << bound.error().message;
    server_->start();
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

  static constexpr const char* kAsk = "GET /echo/a HTTP/1.1\r\nHost: localhost\r\n\r\n";
  // The body of the answer.
  std::string exchange(tcp::socket& socket, const std::string& bytes) {
    boost::system::error_code error;
    asio::write(socket, asio::buffer(bytes), error);
    std::string all;
    asio::read_until(socket, asio::dynamic_buffer(all), "||", error);
    return error ? error.message() : all.substr(all.find("\r\n\r\n") + 4);
  }
  // A connection that has had one answer and is idle now.
  tcp::socket served() {
    auto socket = connect();
    EXPECT_EQ(exchange(socket, kAsk), "a||");
    settle();
    return socket;
  }
  // Until the server has done all that it can do now: it has taken another client's request since.
  void settle() {
    std::promise<void> done;
    asio::post(io_, [&done] { done.set_value(); });
    done.get_future().wait();
    std::promise<void> again;
    asio::steady_timer timer(io_, std::chrono::milliseconds(5));
    timer.async_wait([&again](auto) { again.set_value(); });
    again.get_future().wait();
  }
  static bool is_closed(tcp::socket& socket) {
    boost::system::error_code error;
    std::array<char, 1> byte{};
    asio::read(socket, asio::buffer(byte), error);
    return static_cast<bool>(error);
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
  std::vector<std::string> warnings_;
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

TEST_F(HttpServer, RefusesParametersThatARouteDoesNotRead) {
  start();
  const auto detail = [this](std::string_view method, std::string_view target) {
    const auto reply = ask(method, target);
    EXPECT_EQ(reply.status, 400) << target;
    return reply.body;
  };
  EXPECT_NE(detail("GET", "/echo/a?q=b&sesion=c").find(R"(GET /echo/a takes no parameter \"sesion\"; did you mean \"session\"?; it takes q, session")"), std::string::npos);
  EXPECT_NE(detail("GET", "/echo/a?Q=b").find(R"(takes no parameter \"Q\"; it takes q, session")"), std::string::npos);
  EXPECT_NE(detail("POST", "/echo/a?q=b").find(R"(POST /echo/a takes no parameter \"q\"")"), std::string::npos);
  EXPECT_EQ(ask("GET", "/alive?collect%5B%5D=all").body, "alive");
  EXPECT_EQ(ask("GET", "/echo/a?").body, "a||");
  EXPECT_EQ(ask("GET", "/echo/a?q=b&").body, "a|b|");
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

TEST_F(HttpServer, TakesRequestsThatProveThemselvesFromAnywhereWithAnyContent) {
  routes_.add_proven("POST", "/hook/{word}", echo);
  start();
  const std::string from_elsewhere = "Host: hooks.example.com\r\nOrigin: https://sender.example\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\nConnection: close\r\n\r\na=b";
  EXPECT_NE(say("POST /hook/x HTTP/1.1\r\n" + from_elsewhere).find("x||a=b"), std::string::npos);
  EXPECT_NE(say("POST /echo/x HTTP/1.1\r\n" + from_elsewhere).find(" 403 "), std::string::npos);
  EXPECT_NE(say("PUT /hook/x HTTP/1.1\r\n" + from_elsewhere).find(" 403 "), std::string::npos);
  EXPECT_NE(say("POST /hook HTTP/1.1\r\n" + from_elsewhere).find(" 403 "), std::string::npos);
}

TEST_F(HttpServer, RefusesForeignHostsAndOrigins) {
  start();
  EXPECT_NE(say("GET /echo/a HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n").find(" 403 "), std::string::npos);
  EXPECT_NE(
      say("GET /echo/a HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\nConnection: close\r\n\r\n").find(" 403 "),
      std::string::npos);
}

TEST_F(HttpServer, TakesJsonOnly) {
  start();
  EXPECT_NE(say("POST /echo/a HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: "
                "close\r\n\r\n{}")
                .find(" 415 "),
            std::string::npos);
}

TEST_F(HttpServer, HandsABodyOverPieceByPieceWhereARouteAsksForThat) {
  start({.body_bytes = 16});
  const std::string head = "POST /counted HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
  const auto length = [](std::size_t n) { return "Content-Length: " + std::to_string(n) + "\r\n"; };
  const std::string body(300'000, 'x');
  auto socket = connect();
  EXPECT_EQ(exchange(socket, head + length(body.size()) + "\r\n" + body), "300000||");
  EXPECT_EQ(exchange(socket, head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n11\r\n01234567890123456\r\n0\r\n\r\n"), "20||");
  EXPECT_EQ(exchange(socket, head + length(0) + "\r\n"), "0||");
  EXPECT_EQ(exchange(socket, kAsk), "a||");  // the connection is where it should be
  EXPECT_NE(say(head + length(9) + "Expect: 100-continue\r\nConnection: close\r\n\r\n123456789").find("9||"), std::string::npos);
  EXPECT_NE(say("POST /counted HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n" + length(9) + "\r\n123456789").find(" 415 "), std::string::npos);
}

TEST_F(HttpServer, MakesNoRoomForABodyThatIsOnlyPromised) {
  start({.body = Millis(50)});
  const std::string head = "POST /counted HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n";
  EXPECT_EQ(say(head + "Content-Length: 9000000000000000\r\n\r\n12"), "");  // cut off when nothing comes
  EXPECT_EQ(ask("GET", "/alive").body, "alive");
}

TEST(Head, IsMeasuredTheSameHoweverItComesIn) {
  constexpr HeadLimits kLimits{.line_bytes = 64, .bytes = 128};
  for (std::size_t size = kLimits.bytes - 5; size <= kLimits.bytes + 5; ++size) {
    std::string head = "GET / HTTP/1.1\r\nX: ";
    head += std::string(size - head.size(), 'x') + "\r\n\r\n";
    EXPECT_EQ(end_of_head(head, kLimits).has_value(), size <= kLimits.bytes) << size;
    for (std::size_t part = 0; part < head.size() && size <= kLimits.bytes; ++part) EXPECT_TRUE(end_of_head(std::string_view(head).substr(0, part), kLimits)) << part << " of " << size;
  }
}

TEST_F(HttpServer, BoundsHeadersAndBodies) {
  start({.header_bytes = 512, .body_bytes = 16});
  EXPECT_NE(say("GET /echo/a HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(1024, 'x') + "\r\n\r\n").find(" 431 "),
            std::string::npos);
  EXPECT_NE(say("POST /echo/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 17\r\n\r\n").find(" 413 "), std::string::npos);
  EXPECT_NE(
      say("POST /echo/a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n11\r\n01234567890123456\r\n0\r\n\r\n")
          .find(" 413 "),
      std::string::npos);
  EXPECT_NE(say("nonsense\r\n\r\n").find(" 400 "), std::string::npos);
}

struct Broken {
  const char* what;
  std::string bytes;
  const char* status;
};

std::vector<Broken> broken_requests() {
  const std::string get = "GET /echo/a HTTP/1.1\r\n", post = "POST /echo/a HTTP/1.1\r\n", host = "Host: localhost\r\n",
                    length = "Content-Length: 2\r\n", chunked = "Transfer-Encoding: chunked\r\n";
  const auto target = [&](const std::string& text) { return "GET " + text + " HTTP/1.1\r\n" + host + "\r\n"; };
  return {
      {"two hosts", get + host + host + "\r\n", " 400 "},
      {"no host", get + "\r\n", " 400 "},
      {"no host, HTTP/1.0", "GET /echo/a HTTP/1.0\r\n\r\n", " 400 "},
      {"a folded header", get + host + "X: a\r\n b\r\n\r\n", " 400 "},
      {"a length and an encoding", post + host + length + chunked + "\r\n2\r\n{}\r\n0\r\n\r\n", " 400 "},
      {"two lengths", post + host + length + length + "\r\n{}", " 400 "},
      {"two lengths in one", post + host + "Content-Length: 2, 2\r\n\r\n{}", " 400 "},
      {"a length without a colon", post + host + "Content-Length\r\n\r\n", " 400 "},
      {"an encoding without a colon", post + host + "Transfer-Encoding\r\n\r\n", " 400 "},
      {"a length that is no number", post + host + "Content-Length: +2\r\n\r\n{}", " 400 "},
      {"two encodings", post + host + chunked + chunked + "\r\n0\r\n\r\n", " 400 "},
      {"an encoding in HTTP/1.0", "POST /echo/a HTTP/1.0\r\n" + host + chunked + "\r\n0\r\n\r\n", " 400 "},
      {"another encoding", post + host + "Transfer-Encoding: gzip\r\n\r\n", " 501 "},
      {"a chunk without a size", post + host + chunked + "\r\nzz\r\n", " 400 "},
      {"chunks over the limit", post + host + chunked + "\r\n200000\r\n" + std::string(0x200000, 'x') + "\r\n0\r\n\r\n", " 413 "},
      {"a length over the limit", post + host + "Content-Length: 2097152\r\n\r\n" + std::string(0x200000, 'x'), " 413 "},
      {"a line of 1 MB", target("/" + std::string(1'000'000, 'a')), " 414 "},
      {"a header of 1 MB", get + host + "X: " + std::string(1'000'000, 'a') + "\r\n\r\n", " 431 "},
      {"lines that end with LF", "GET /echo/a HTTP/1.1\nHost: localhost\n\n", " 400 "},
      {"a CR in a line", get + host + "X: a\rb\r\n\r\n", " 400 "},
      {"another version", "GET /echo/a HTTP/2.0\r\n" + host + "\r\n", " 400 "},
      {"a space before a colon", get + "Host : localhost\r\n\r\n", " 400 "},
      {"a NUL in the path", target("/echo/a%00b"), " 400 "},
      {"a step up", target("/echo/../a"), " 400 "},
      {"an encoded step up", target("/echo/%2e%2e"), " 400 "},
      {"a path that is not UTF-8", target("/echo/%ff"), " 400 "},
      {"a query that is not UTF-8", target("/echo/a?q=%ff"), " 400 "},
      {"a NUL in the query", target("/echo/a?q=%00"), " 400 "},
      {"a target that is none", target("nowhere"), " 400 "},
  };
}

TEST_F(HttpServer, RefusesWhatTwoReadersCouldUnderstandDifferentlyAndHangsUp) {
  start();
  for (const auto& broken : broken_requests()) {
    const auto answer = say(broken.bytes);  // returns: the server closed
    EXPECT_NE(answer.substr(0, answer.find('\r')).find(broken.status), std::string::npos) << broken.what << ": " << answer;
    EXPECT_NE(answer.find("application/problem+json"), std::string::npos) << broken.what;
    EXPECT_NE(answer.find("Connection: close"), std::string::npos) << broken.what;
  }
}

TEST_F(HttpServer, CountsMethodsOfNoHttpAsOne) {
  start();
  EXPECT_NE(say("GIMME /echo/a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").find(" 405 "), std::string::npos);
  stop();
  ASSERT_EQ(served_.size(), 1U);
  EXPECT_EQ(served_[0].method, "other");
}

TEST_F(HttpServer, HoldsItsAddressBeforeItAnswers) {
  server_.emplace(world_, routes_, ServerLimits(), [](const Served&) {});
  ASSERT_TRUE(server_->bind("127.0.0.1:0"));
  Server second(world_, routes_, {}, {});
  const auto address = "127.0.0.1:" + std::to_string(server_->port());
  const auto taken = second.bind(address);
  ASSERT_FALSE(taken);
  EXPECT_NE(taken.error().message.find(address), std::string::npos);
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

TEST_F(HttpServer, GivesAHeadOneDeadlineHoweverItTricklesIn) {
  start({.header = Millis(200)});
  auto socket = connect();
  boost::system::error_code error;
  const auto begin = std::chrono::steady_clock::now();
  while (!error && std::chrono::steady_clock::now() < begin + std::chrono::seconds(5)) {  // a byte each 20 ms keeps nothing alive
    asio::write(socket, asio::buffer(std::string("x")), error);
    asio::steady_timer(client_io_, std::chrono::milliseconds(20)).wait();
  }
  EXPECT_TRUE(error);
}

TEST_F(HttpServer, GivesTheLongestIdleConnectionsPlaceToANewOne) {
  start({.connections = 2});
  auto first = served(), second = served();  // both idle, the first for longer
  auto third = served();
  EXPECT_TRUE(is_closed(first));
  EXPECT_EQ(exchange(second, kAsk), "a||");
  EXPECT_EQ(exchange(third, kAsk), "a||");
}

TEST_F(HttpServer, ClosesTheIdleBeforeThoseThatSend) {
  start({.connections = 2});
  auto sending = served();
  auto idle = served();
  asio::write(sending, asio::buffer(std::string("GET /echo/b HT")));
  settle();
  auto third = served();
  EXPECT_TRUE(is_closed(idle));
  EXPECT_EQ(exchange(sending, "TP/1.1\r\nHost: localhost\r\n\r\n"), "b||");
}

TEST_F(HttpServer, IsReachedThroughConnectionsThatOnlyBegin) {
  start({.connections = 4});
  std::vector<tcp::socket> slow;
  for (int i = 0; i < 20; ++i) {
    slow.push_back(connect());
    asio::write(slow.back(), asio::buffer(std::string("GET /echo/a HT")));
  }
  EXPECT_EQ(ask("GET", "/alive").body, "alive");
}

TEST_F(HttpServer, RefusesMoreRequestsThanItMayHaveInProgressButNotTheVitalOnes) {
  start({.connections = 3, .requests = 1});
  auto waiting = connect();
  asio::write(waiting, asio::buffer(std::string("GET /waits HTTP/1.1\r\nHost: localhost\r\n\r\n")));
  entered_.get_future().wait();
  const auto refused = ask("GET", "/echo/a");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.headers.at("retry-after"), "1");
  std::vector<tcp::socket> idle;
  for (int i = 0; i < 10; ++i) idle.push_back(connect());
  EXPECT_EQ(ask("GET", "/alive").body, "alive");
  stop();
  std::string all;
  boost::system::error_code error;
  asio::read(waiting, asio::dynamic_buffer(all), error);
  EXPECT_NE(all.find("stopped"), std::string::npos);  // nobody took its place
}

TEST_F(HttpServer, BoundsTheBodiesThatComeInAtATime) {
  start({.bodies = 1});
  const std::string post = "POST /echo/a HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n";
  auto slow = connect();
  asio::write(slow, asio::buffer(post + "{"));
  settle();
  auto quick = connect();
  asio::write(quick, asio::buffer(post + "{"));
  EXPECT_TRUE(is_closed(slow));  // a newcomer is not refused for one that dawdles
  EXPECT_EQ(exchange(quick, "}"), "a||{}");
}

TEST_F(HttpServer, DoesNotCountEventStreamsAmongRequests) {
  start({.requests = 1, .write = std::chrono::hours(1)});
  auto first = connect();
  asio::write(first, asio::buffer(std::string("GET /flood HTTP/1.1\r\nHost: localhost\r\n\r\n")));
  std::array<char, 1> byte{};
  asio::read(first, asio::buffer(byte));
  EXPECT_EQ(ask("GET", "/echo/a").status, 200);
  first.close();
  cut_off_.get_future().wait();
}

TEST_F(HttpServer, BoundsEventStreams) {
  start({.streams = 1, .write = std::chrono::hours(1)});
  auto first = connect();
  asio::write(first, asio::buffer(std::string("GET /flood HTTP/1.1\r\nHost: localhost\r\n\r\n")));
  std::array<char, 1> byte{};
  asio::read(first, asio::buffer(byte));
  const auto refused = ask("GET", "/events");
  EXPECT_EQ(refused.status, 503);
  EXPECT_NE(refused.body.find("event streams"), std::string::npos);
  first.close();
  cut_off_.get_future().wait();
}

// While it lives, the process can open nothing more.
class NoDescriptorIsLeft {
 public:
  NoDescriptorIsLeft() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int lowest = ::dup(STDIN_FILENO);
    ::close(lowest);
    const rlimit none{static_cast<rlim_t>(lowest), before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptorIsLeft() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptorIsLeft(const NoDescriptorIsLeft&) = delete;

 private:
  rlimit before_{};
};

TEST_F(HttpServer, TellsClientsThatNoDescriptorIsLeft) {
  start();
  // UBSan looks at a type's first object through a pipe, for which there is room now.
  EXPECT_EQ(ask("GET", "/alive").body, "alive");
  std::promise<void> slept;
  auto sleeping = [](Timers& timers, std::promise<void>& done) -> Async<void> {
    co_await sleep(timers, Millis(1), {});
    done.set_value();
  };
  spawn(io_.get_executor(), sleeping(timers_, slept));
  slept.get_future().wait();
  {
    std::vector<tcp::socket> clients;
    for (int i = 0; i < 3; ++i) clients.emplace_back(client_io_, tcp::v4());
    const NoDescriptorIsLeft now;
    for (auto& client : clients) {
      client.connect({asio::ip::make_address("127.0.0.1"), server_->port()});
      std::string all;
      boost::system::error_code error;
      asio::read(client, asio::dynamic_buffer(all), error);
      EXPECT_TRUE(all.starts_with("HTTP/1.1 503 ")) << all;
      EXPECT_NE(all.find("no descriptor left"), std::string::npos) << all;
    }
  }
  std::string answer;  // who comes while the last of them is sent away may be sent away as well
  for (int i = 0; i < 100 && answer != "alive"; ++i) answer = ask("GET", "/alive").body;
  EXPECT_EQ(answer, "alive");
  stop();
  EXPECT_EQ(warnings_.size(), 1u);
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

TEST_F(HttpServer, ListensToOthersOnlyWithTokens) {
  Server server(world_, routes_, {}, {});
  const auto refused = server.bind("0.0.0.0:0");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("takes tokens"), std::string::npos);
  Access access;
  ASSERT_FALSE(access.add({"eyes", Role::viewer}, "0123456789abcdef"));
  server.admit(std::move(access));
  EXPECT_TRUE(server.bind("0.0.0.0:0"));
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
