// One client's connection: reads requests, writes answers. Part of the server.
#pragma once
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <variant>

#include "host/api/head.hpp"
#include "host/api/server.hpp"

namespace agentd::api {

class Server::Connection final : public Stream {
 public:
  using Incoming = boost::beast::http::request<boost::beast::http::string_body>;
  struct Closed {};
  enum class Doing {
    nothing,
    sending,
    asking
  };  // what its client does: asking from a request's arrival to the end of its answer

  Connection(boost::asio::ip::tcp::socket socket, const ServerLimits& limits, const Clock& clock)
      : stream_(std::move(socket)), limits_(limits), clock_(clock), since_(clock.tick()) {}

  // The next request; Refused: one that breaks a bound or the protocol, after which nothing more can be read.
  Async<std::variant<Incoming, Refused, Closed>> read();
  Async<bool> write(const Document& document, bool keep_alive, bool head);
  Async<bool> begin_events();
  Async<bool> write(std::string text) override;
  Async<bool> end_events();
  // What the client of a refused request still sends is read and dropped, within bounds: a reset would take the answer from it.
  Async<void> drain();
  void close();

  Doing doing() const { return doing_; }
  Tick since() const { return since_; }  // it does that
  void begin(Doing doing);
  bool vital = false;    // it asks a vital route
  bool leaving = false;  // it was closed in favour of another

 private:
  Async<std::variant<std::monostate, Refused, Closed>> read_head();
  template <class Buffers>
  Async<bool> send(Buffers buffers);

  boost::beast::tcp_stream stream_;
  boost::beast::flat_buffer buffer_;
  const ServerLimits& limits_;
  const Clock& clock_;
  Doing doing_ = Doing::nothing;
  Tick since_;
  bool gone_ = false;
};

}  // namespace agentd::api
