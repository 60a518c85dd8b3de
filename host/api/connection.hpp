// One client's connection: reads requests, writes answers. Part of the server.
#pragma once
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <variant>

#include "host/api/server.hpp"

namespace agentd::api {

class Server::Connection final : public Stream {
 public:
  using Incoming = boost::beast::http::request<boost::beast::http::string_body>;
  struct Closed {};
  struct Refused {
    int status;
    std::string detail;
  };

  Connection(boost::asio::ip::tcp::socket socket, const ServerLimits& limits) : stream_(std::move(socket)), limits_(limits) {}

  // The next request; Refused: one that breaks a bound or the protocol, after which nothing more can be read.
  Async<std::variant<Incoming, Refused, Closed>> read();
  Async<bool> write(const Document& document, bool keep_alive, bool head);
  Async<bool> begin_events();
  Async<bool> write(std::string text) override;
  Async<bool> end_events();
  void close();

  bool busy = false;  // between a request's arrival and the end of its answer

 private:
  using Use = boost::asio::as_tuple_t<boost::asio::use_awaitable_t<>>;
  template <class Buffers>
  Async<bool> send(Buffers buffers);

  boost::beast::tcp_stream stream_;
  boost::beast::flat_buffer buffer_;
  const ServerLimits& limits_;
};

}  // namespace agentd::api
