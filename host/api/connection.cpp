#include "host/api/connection.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <boost/asio/ssl/error.hpp>
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

bool Server::Connection::is_from_this_machine(const asio::ip::tcp::socket& socket) {
  beast::error_code gone;
  const auto peer = socket.remote_endpoint(gone).address();
  return !gone && (peer.is_loopback() || (peer.is_v6() && peer.to_v6().is_v4_mapped() && asio::ip::make_address_v4(asio::ip::v4_mapped, peer.to_v6()).is_loopback()));
}

void Server::Connection::begin(Doing doing) {
  doing_ = doing;
  since_ = clock_.tick();
}

Async<bool> Server::Connection::greet() {
  if (!stream_.is_secure()) co_return true;
  begin(Doing::sending);
  stream_.tcp().expires_after(limits_.header);
  const auto [error] = co_await stream_.async_handshake(use_tuple);
  if (error.category() == asio::error::get_ssl_category() && ERR_GET_REASON(static_cast<unsigned long>(error.value())) == SSL_R_HTTP_REQUEST) {
    static constexpr std::string_view kSpeakTls = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nthis port speaks HTTPS\n";
    [[maybe_unused]] const auto told = co_await asio::async_write(stream_.tcp(), asio::buffer(kSpeakTls), use_tuple);
  }
  co_return !error;
}

Async<void> Server::Connection::say_goodbye() {
  if (!stream_.is_secure() || gone_ || !stream_.tcp().socket().is_open()) co_return;
  stream_.tcp().expires_after(limits_.farewell);
  [[maybe_unused]] const auto said = co_await stream_.async_shutdown(use_tuple);
}

// Until the head is whole. A quiet connection may last longer than one in the middle of a request.
Async<std::variant<std::monostate, Refused, Server::Connection::Closed>> Server::Connection::read_head() {
  const HeadLimits bounds{limits_.line_bytes, limits_.header_bytes};
  begin(buffer_.size() == 0 ? Doing::nothing : Doing::sending);
  stream_.tcp().expires_after(doing_ == Doing::nothing ? limits_.idle : limits_.header);
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
    stream_.tcp().expires_after(limits_.header);  // one deadline for all of it, however it trickles in
  }
}

namespace {

// "POST /v1/runs HTTP/1.1"
std::string_view method_in(std::string_view line) { return line.substr(0, line.find(' ')); }
std::string_view target_in(std::string_view line) {
  const auto begin = line.find(' ');
  if (begin == line.npos) return {};
  line.remove_prefix(begin + 1);
  return line.substr(0, line.find(' '));
}

std::variant<std::monostate, Refused> why_unread(beast::error_code error, std::uint64_t most) {
  if (error == http::error::body_limit) return Refused{413, "a body may have " + std::to_string(most) + " bytes"};
  if (error == http::error::end_of_stream || error == http::error::partial_message) return std::monostate();
  if (error.category() == http::make_error_code(http::error::end_of_stream).category()) return Refused{400, "not a request: " + error.message()};
  return std::monostate();
}

}  // namespace

// Of the head that the buffer holds.
std::string_view Server::Connection::first_line() const {
  const std::string_view bytes(static_cast<const char*>(buffer_.data().data()), buffer_.size());
  return bytes.substr(0, bytes.find_first_of("\r\n"));
}

Async<bool> Server::Connection::invite_body(std::string_view expect) {
  if (!is_recent_ || !beast::iequals(expect, "100-continue")) co_return true;
  http::response<http::empty_body> go_on(http::status::continue_, 11);
  const auto [error, size] = co_await http::async_write(stream_, go_on, use_tuple);
  co_return !error;
}

// Its head alone. How long the body may be, its reader decides.
Async<std::variant<Server::Connection::Incoming, Refused, Server::Connection::Closed>> Server::Connection::read_streamed() {
  streamed_.emplace();
  streamed_->header_limit(limits_.header_bytes + 4);
  streamed_->body_limit(boost::none);
  const auto [error, size] = co_await http::async_read_header(stream_, buffer_, *streamed_, use_tuple);
  if (error) {
    streamed_.reset();
    auto why = why_unread(error, 0);
    if (auto* refused = std::get_if<Refused>(&why)) co_return std::move(*refused);
    co_return Closed{};
  }
  is_recent_ = streamed_->get().version() >= 11;
  co_return Incoming(http::request_header<>(streamed_->get().base()));
}

// A client that wants to be asked for its body is asked when somebody reads it.
Async<std::optional<std::string>> Server::Connection::next() {
  if (!streamed_) co_return std::nullopt;
  auto& message = streamed_->get();
  const bool invited = co_await invite_body(message[http::field::expect]);
  message.erase(http::field::expect);
  if (!invited) co_return std::nullopt;
  std::string piece(64 << 10, '\0');
  message.body() = {piece.data(), piece.size(), true};
  while (!streamed_->is_done() && message.body().size == piece.size()) {
    stream_.tcp().expires_after(limits_.body);
    const auto [error, size] = co_await http::async_read_some(stream_, buffer_, *streamed_, use_tuple);
    if (error && error != http::error::need_buffer) co_return std::nullopt;
  }
  piece.resize(piece.size() - message.body().size);
  co_return std::move(piece);
}

Async<std::variant<Server::Connection::Incoming, Refused, Server::Connection::Closed>> Server::Connection::read(const IsStreamed& is_streamed) {
  streamed_.reset();
  auto head = co_await read_head();
  if (auto* refused = std::get_if<Refused>(&head)) co_return std::move(*refused);
  if (std::holds_alternative<Closed>(head)) co_return Closed{};
  if (is_streamed(method_in(first_line()), target_in(first_line()))) co_return co_await read_streamed();
  http::request_parser<http::string_body> parser;
  parser.header_limit(limits_.header_bytes + 4);
  parser.body_limit(limits_.body_bytes);
  const auto wrong = [this](beast::error_code error) -> std::variant<Incoming, Refused, Closed> {
    auto why = why_unread(error, limits_.body_bytes);
    if (auto* refused = std::get_if<Refused>(&why)) return std::move(*refused);
    return Closed{};
  };
  const auto [head_error, head_size] = co_await http::async_read_header(stream_, buffer_, parser, use_tuple);
  if (head_error) co_return wrong(head_error);
  is_recent_ = parser.get().version() >= 11;
  const bool invited = co_await invite_body(parser.get()[http::field::expect]);
  if (!invited) co_return Closed{};
  if (parser.is_done()) co_return parser.release();
  server_.make_room_for_a_body();
  const Work sending(server_.bodies_);
  is_sending_a_body = true;
  stream_.tcp().expires_after(limits_.body);
  const auto [body_error, body_size] = co_await http::async_read(stream_, buffer_, parser, use_tuple);
  is_sending_a_body = false;
  if (body_error) co_return wrong(body_error);
  co_return parser.release();
}

Async<void> Server::Connection::drain() {
  constexpr std::size_t kMost = 8 << 20;
  beast::error_code error;
  stream_.tcp().socket().shutdown(asio::ip::tcp::socket::shutdown_send, error);
  stream_.tcp().expires_after(limits_.farewell);
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
  stream_.tcp().expires_after(limits_.write);
  if (head) {
    const auto [error, size] = co_await http::async_write_header(stream_, serializer, use_tuple);
    co_return !error;
  }
  const auto [error, size] = co_await http::async_write(stream_, serializer, use_tuple);
  co_return !error;
}

Async<bool> Server::Connection::begin_events() {
  buffer_.shrink_to_fit();  // nothing is read while it goes on, and there may be many
  http::response<http::empty_body> response(http::status::ok, 11);
  set_usual_headers(response);
  response.set(http::field::content_type, "text/event-stream; charset=utf-8");
  if (is_recent_) response.set(http::field::transfer_encoding, "chunked");
  response.keep_alive(false);
  http::response_serializer<http::empty_body> serializer(response);
  stream_.tcp().expires_after(limits_.write);
  const auto [error, size] = co_await http::async_write_header(stream_, serializer, use_tuple);
  co_return !error;
}

template <class Buffers>
Async<bool> Server::Connection::send(Buffers buffers) {
  if (gone_) co_return false;  // a write after a failed one would wait for an event that has been
  stream_.tcp().expires_after(limits_.write);
  const auto [error, size] = co_await asio::async_write(stream_, buffers, use_tuple);
  gone_ = static_cast<bool>(error);
  co_return !error;
}

Async<bool> Server::Connection::write(std::string text) {
  if (!is_recent_) {
    const bool sent = co_await send(asio::buffer(text));
    co_return sent;
  }
  auto chunk = http::make_chunk(asio::buffer(text));
  const bool sent = co_await send(std::move(chunk));
  co_return sent;
}

Async<bool> Server::Connection::end_events() {
  if (!is_recent_) co_return true;
  auto last = http::make_chunk_last();
  const bool sent = co_await send(std::move(last));
  co_return sent;
}

void Server::Connection::close() { stream_.tcp().close(); }

}  // namespace agentd::api
