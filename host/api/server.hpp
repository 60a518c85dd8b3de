// HTTP/1.1 on the engine's thread, for programs and people on this machine.
//
// Bounds: connections, requests in progress, requests that wait, event streams, bodies on their way in, header and body sizes, and how long a client may take
// to send or to read. A client that exceeds one is answered where that is possible, and cut off. When all connections are taken, a newcomer
// takes the place of the one that has been idle longest, else of the one that has been sending its request longest: requests, waits and streams
// in progress are fewer than connections, so there always is one, and whoever looks after the host reaches its vital routes. A body that
// is one too many takes the place of the one that has been coming in longest. When the
// process has no descriptor left, newcomers are answered 503 at once, and the log tells of it. A
// request whose Origin is not its Host is refused, and without tokens one whose Host is not this machine's, so that a web page cannot
// reach the API by making its own name resolve to loopback. Routes whose requests prove where they come from take them from anywhere.
#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_set>

#include "core/base/async.hpp"
#include "core/base/result.hpp"
#include "host/api/reserve.hpp"
#include "host/api/routes.hpp"

namespace boost::asio::ssl {
class context;
}

namespace agentd::api {

class Certificate;

struct ServerLimits {
  std::size_t connections = 20'000;  // more than requests, waits and streams together
  std::size_t requests = 192;        // in progress; vital routes, event streams and those that only wait do not count
  std::size_t waits = 2'048;         // requests that only wait
  std::size_t streams = 16'384;
  std::size_t bodies = 192;          // on their way in
  std::uint32_t line_bytes = 8 << 10;     // of a request's first line
  std::uint32_t header_bytes = 16 << 10;  // with that line
  std::uint64_t body_bytes = 1 << 20;
  Millis idle{75'000};     // between requests
  Millis header{10'000};   // from the first byte of a request's head to its last
  Millis body{30'000};     // from the first byte of its body to its last
  Millis write{10'000};    // to take an answer, or a part of one that goes on
  Millis farewell{1'000};  // for open requests to end when the server stops, and for a refused client to stop sending
};

struct Served {
  std::string route;   // the pattern; "" when nothing matched
  std::string method;  // "other" when HTTP has no such method
  int status = 0;
  double seconds = 0;
};

// The engine thread only. Owned by the wiring; routes outlive it.
class Server {
 public:
  Server(World world, const Routes& routes, ServerLimits limits, std::function<void(const Served&)> served,
         std::function<void(const std::string&)> warn = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Who may ask from now on; everybody until then. A stream of somebody who may no more is cut off.
  void admit(Access access);
  // Speaks TLS from now on.
  void show(std::unique_ptr<Certificate> certificate);
  bool is_secure() const { return certificate_ != nullptr; }
  // Takes the address for itself; whoever connects waits for start. Without tokens a loopback address only. An error says what is wrong
  // with the address, or who else may hold the port.
  Result<void> bind(const std::string& address);  // "127.0.0.1:8765", "[::1]:0"
  std::uint16_t port() const { return port_; }    // the real one, with port 0 too
  // Begins to answer. The routes are complete.
  void start();
  // Takes no more connections, lets open requests end, then closes what is left.
  Async<void> stop();

 private:
  class Connection;
  struct Work;
  Async<void> accept();
  std::shared_ptr<boost::asio::ssl::context> certificate();
  std::shared_ptr<void> rest();
  bool make_room();
  void make_room_for_a_body();
  void turn_away();
  Async<void> serve(std::unique_ptr<Connection> connection);
  Async<void> refuse(Connection& connection, int status, std::string detail);
  Async<bool> answer(Connection& connection, boost::beast::http::request<boost::beast::http::string_body> incoming,
                     bool keep_alive);
  Async<bool> stream(Connection& connection, EventStream stream, bool head);

  World world_;
  const Routes& routes_;
  ServerLimits limits_;
  Access access_;
  std::unique_ptr<Certificate> certificate_;
  std::function<void(const Served&)> served_;
  std::function<void(const std::string&)> warn_;
  Reserve reserve_;
  std::optional<Tick> warned_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::uint16_t port_ = 0;
  std::unordered_set<Connection*> open_;
  std::size_t leaving_ = 0;                 // of these: closed, and not yet gone
  std::size_t requests_ = 0, waits_ = 0, streams_ = 0, bodies_ = 0;  // in progress
  std::stop_source stopping_;
};

}  // namespace agentd::api
