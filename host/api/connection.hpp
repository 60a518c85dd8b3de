// One client's connection: reads requests, writes answers. Part of the server.
#pragma once
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <variant>

#include "host/api/head.hpp"
#include "host/api/server.hpp"
#include "host/api/wire.hpp"

namespace agentd::api {

// A place among those in progress.
struct Server::Work {
  explicit Work(std::size_t& in_progress) : in_progress_(in_progress) { ++in_progress_; }
  ~Work() { --in_progress_; }
  Work(const Work&) = delete;
  std::size_t& in_progress_;
};

class Server::Connection final : public Stream, public api::Incoming {
 public:
  using Incoming = boost::beast::http::request<boost::beast::http::string_body>;
  struct Closed {};
  enum class Doing {
    nothing,
    sending,
    asking
  };  // what its client does: asking from a request's arrival to the end of its answer

  Connection(Server& server, boost::asio::ip::tcp::socket socket, Certificate::Context certificate)
      : server_(server), limits_(server.limits_), clock_(server.world_.clock), near_(is_from_this_machine(socket)), stream_(std::move(socket), std::move(certificate)), since_(clock_.tick()) {}

  // Before the first request, over TLS; false: the client does not speak it.
  Async<bool> greet();
  // The next request, without its body where that is streamed; Refused: one that breaks a bound or the protocol, after which nothing
  // more can be read. is_streamed: of a method and a target.
  using IsStreamed = std::function<bool(std::string_view method, std::string_view target)>;
  Async<std::variant<Incoming, Refused, Closed>> read(const IsStreamed& is_streamed);
  Async<std::optional<std::string>> next() override;
  bool has_unread_body() const { return streamed_ && !streamed_->is_done(); }
  Async<bool> write(const Document& document, bool keep_alive, bool head);
  Async<bool> begin_events();
  Async<bool> write(std::string text) override;
  Async<bool> end_events();
  // What the client of a refused request still sends is read and dropped, within bounds: a reset would take the answer from it.
  Async<void> drain();
  Async<void> say_goodbye();  // over TLS: that nothing was cut off
  void close();

  bool is_near() const { return near_; }  // its client is on this machine
  Doing doing() const { return doing_; }
  Tick since() const { return since_; }  // it does that
  void begin(Doing doing);
  bool vital = false;    // it asks a vital route
  struct Reader {
    Access::Digest shown;  // of the token that came with the request
    Role role;             // the least that reading it takes
  };
  std::optional<Reader> streams_for;  // an answer goes on
  bool leaving = false;  // it was closed in favour of another
  bool is_sending_a_body = false;

 private:
  static bool is_from_this_machine(const boost::asio::ip::tcp::socket& socket);
  Async<std::variant<std::monostate, Refused, Closed>> read_head();
  std::string_view first_line() const;
  Async<bool> invite_body(std::string_view expect);
  Async<std::variant<Incoming, Refused, Closed>> read_streamed();
  template <class Buffers>
  Async<bool> send(Buffers buffers);

  Server& server_;
  const ServerLimits& limits_;
  const Clock& clock_;
  const bool near_;
  Wire stream_;
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::buffer_body>> streamed_;  // the request at hand
  Doing doing_ = Doing::nothing;
  Tick since_;
  bool gone_ = false;
  bool is_recent_ = true;  // the request at hand is not HTTP/1.0, which knows neither chunks nor 100 (RFC 9112, 6.1; RFC 9110, 10.1.1)
};

}  // namespace agentd::api
