#include "host/api/connection.hpp"

#include <boost/asio/write.hpp>
#include <boost/beast/http/chunk_encode.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include "host/version.hpp"

namespace agentd::api {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace {

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

template <class Message>
void set_usual_headers(Message& message) {
  message.set(http::field::server, std::string("agentd/") + kVersion);
  message.set(http::field::cache_control, "no-store");
  message.set("X-Content-Type-Options", "nosniff");
}

http::response<http::string_body> to_wire(const Document& document, bool keep_alive, bool head) {
  http::response<http::string_body> response(http::int_to_status(static_cast<unsigned>(document.status)), 11);
  set_usual_headers(response);
  response.set(http::field::content_type, document.content_type);
  for (const auto& [name, value] : document.headers) response.set(name, value);
  response.keep_alive(keep_alive);
  if (head) {
    response.content_length(document.body.size());
  } else {
    response.body() = document.body;
    response.prepare_payload();
  }
  return response;
}

}  // namespace

Async<std::variant<Server::Connection::Incoming, Server::Connection::Refused, Server::Connection::Closed>> Server::Connection::read() {
  http::request_parser<http::string_body> parser;
  parser.header_limit(limits_.header_bytes);
  parser.body_limit(limits_.body_bytes);
  if (buffer_.size() == 0) {  // so that a quiet connection may last longer than one in the middle of a request
    stream_.expires_after(limits_.idle);
    const auto [error, size] = co_await stream_.async_read_some(buffer_.prepare(4096), use_tuple);
    if (error) co_return Closed{};
    buffer_.commit(size);
  }
  stream_.expires_after(limits_.header);
  const auto [head_error, head_size] = co_await http::async_read_header(stream_, buffer_, parser, use_tuple);
  if (head_error == http::error::header_limit) co_return Refused{431, "the request's headers are longer than " + std::to_string(limits_.header_bytes) + " bytes"};
  if (head_error == http::error::body_limit) co_return Refused{413, "a body may have " + std::to_string(limits_.body_bytes) + " bytes"};
  if (head_error == http::error::end_of_stream || head_error.category() != http::make_error_code(http::error::end_of_stream).category()) {
    if (head_error) co_return Closed{};
  } else if (head_error) {
    co_return Refused{400, "not a request: " + head_error.message()};
  }
  if (beast::iequals(parser.get()[http::field::expect], "100-continue")) {
    http::response<http::empty_body> go_on(http::status::continue_, 11);
    const auto [error, size] = co_await http::async_write(stream_, go_on, use_tuple);
    if (error) co_return Closed{};
  }
  stream_.expires_after(limits_.body);
  const auto [body_error, body_size] = co_await http::async_read(stream_, buffer_, parser, use_tuple);
  if (body_error == http::error::body_limit) co_return Refused{413, "a body may have " + std::to_string(limits_.body_bytes) + " bytes"};
  if (body_error) co_return Closed{};
  co_return parser.release();
}

Async<bool> Server::Connection::write(const Document& document, bool keep_alive, bool head) {
  const auto response = to_wire(document, keep_alive, head);
  http::response_serializer<http::string_body> serializer(response);
  stream_.expires_after(limits_.write);
  if (head) {
    const auto [error, size] = co_await http::async_write_header(stream_, serializer, use_tuple);
    co_return !error;
  }
  const auto [error, size] = co_await http::async_write(stream_, serializer, use_tuple);
  co_return !error;
}

Async<bool> Server::Connection::begin_events() {
  http::response<http::empty_body> response(http::status::ok, 11);
  set_usual_headers(response);
  response.set(http::field::content_type, "text/event-stream; charset=utf-8");
  response.set(http::field::transfer_encoding, "chunked");
  response.keep_alive(false);
  http::response_serializer<http::empty_body> serializer(response);
  stream_.expires_after(limits_.write);
  const auto [error, size] = co_await http::async_write_header(stream_, serializer, use_tuple);
  co_return !error;
}

template <class Buffers>
Async<bool> Server::Connection::send(Buffers buffers) {
  stream_.expires_after(limits_.write);
  const auto [error, size] = co_await asio::async_write(stream_, buffers, use_tuple);
  co_return !error;
}

Async<bool> Server::Connection::write(std::string text) {
  auto chunk = http::make_chunk(asio::buffer(text));
  const bool sent = co_await send(std::move(chunk));
  co_return sent;
}

Async<bool> Server::Connection::end_events() {
  auto last = http::make_chunk_last();
  const bool sent = co_await send(std::move(last));
  co_return sent;
}

void Server::Connection::close() { stream_.close(); }

}  // namespace agentd::api
