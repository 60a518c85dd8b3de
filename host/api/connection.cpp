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

void Server::Connection::begin(Doing doing) {
  doing_ = doing;
  since_ = clock_.tick();
}

// Until the head is whole. A quiet connection may last longer than one in the middle of a request.
Async<std::variant<std::monostate, Refused, Server::Connection::Closed>> Server::Connection::read_head() {
  const HeadLimits bounds{limits_.line_bytes, limits_.header_bytes};
  begin(buffer_.size() == 0 ? Doing::nothing : Doing::sending);
  stream_.expires_after(doing_ == Doing::nothing ? limits_.idle : limits_.header);
  while (true) {
    const std::string_view bytes(static_cast<const char*>(buffer_.data().data()), buffer_.size());
    const auto end = end_of_head(bytes, bounds);
    if (!end) co_return end.error();
    if (*end) {
      auto wrong = judge_head(bytes.substr(0, **end));
      if (wrong) co_return std::move(*wrong);
      co_return std::monostate();
    }
    const auto [error, size] = co_await stream_.async_read_some(buffer_.prepare(4096), use_tuple);
    if (error) co_return Closed{};
    buffer_.commit(size);
    if (doing_ == Doing::sending) continue;
    begin(Doing::sending);
    stream_.expires_after(limits_.header);  // one deadline for all of it, however it trickles in
  }
}

Async<std::variant<Server::Connection::Incoming, Refused, Server::Connection::Closed>> Server::Connection::read() {
  auto head = co_await read_head();
  if (auto* refused = std::get_if<Refused>(&head)) co_return std::move(*refused);
  if (std::holds_alternative<Closed>(head)) co_return Closed{};
  http::request_parser<http::string_body> parser;
  parser.header_limit(limits_.header_bytes + 4);
  parser.body_limit(limits_.body_bytes);
  const auto wrong = [this](beast::error_code error) -> std::variant<Incoming, Refused, Closed> {
    if (error == http::error::body_limit) return Refused{413, "a body may have " + std::to_string(limits_.body_bytes) + " bytes"};
    if (error == http::error::end_of_stream || error == http::error::partial_message) return Closed{};
    if (error.category() == http::make_error_code(http::error::end_of_stream).category())
      return Refused{400, "not a request: " + error.message()};
    return Closed{};
  };
  const auto [head_error, head_size] = co_await http::async_read_header(stream_, buffer_, parser, use_tuple);
  if (head_error) co_return wrong(head_error);
  if (beast::iequals(parser.get()[http::field::expect], "100-continue")) {
    http::response<http::empty_body> go_on(http::status::continue_, 11);
    const auto [error, size] = co_await http::async_write(stream_, go_on, use_tuple);
    if (error) co_return Closed{};
  }
  stream_.expires_after(limits_.body);
  const auto [body_error, body_size] = co_await http::async_read(stream_, buffer_, parser, use_tuple);
  if (body_error) co_return wrong(body_error);
  co_return parser.release();
}

Async<void> Server::Connection::drain() {
  constexpr std::size_t kMost = 8 << 20;
  beast::error_code error;
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, error);
  stream_.expires_after(limits_.farewell);
  for (std::size_t dropped = 0; !error && dropped < kMost;) {
    buffer_.clear();
    const auto [failed, size] = co_await stream_.async_read_some(buffer_.prepare(64 << 10), use_tuple);
    error = failed;
    dropped += size;
  }
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
  if (gone_) co_return false;  // a write after a failed one would wait for an event that has been
  stream_.expires_after(limits_.write);
  const auto [error, size] = co_await asio::async_write(stream_, buffers, use_tuple);
  gone_ = static_cast<bool>(error);
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
