#include "host/cli/http.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/url/encode.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>

#include "host/version.hpp"

namespace agentd::cli {
namespace {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Request = http::request<http::string_body>;

constexpr Millis kConnectTimeout{5'000};

struct Story {
  Place place;
  Request request;
  Millis timeout{};
  std::function<bool(std::string_view)> on_line;  // empty: the body is gathered
  Reply reply;
};

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

// Hands over whole lines and keeps the rest; false when the reader has had enough.
bool take_lines(std::string& text, const std::function<bool(std::string_view)>& on_line) {
  std::size_t begin = 0;
  for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    std::string_view line = std::string_view(text).substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    begin = end + 1;
    if (!on_line(line)) return false;
  }
  text.erase(0, begin);
  return true;
}

asio::awaitable<void> read_reply(beast::tcp_stream& stream, Story& story) {
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(boost::none);
  co_await http::async_read_header(stream, buffer, parser, asio::use_awaitable);
  story.reply.status = parser.get().result_int();
  for (const auto& field : parser.get()) story.reply.headers[lower(field.name_string())] = std::string(field.value());
  const bool lines = story.on_line && story.reply.headers["content-type"].starts_with("text/event-stream");
  while (!parser.is_done()) {
    stream.expires_after(story.timeout);
    co_await http::async_read_some(stream, buffer, parser, asio::use_awaitable);
    if (lines && !take_lines(parser.get().body(), story.on_line)) co_return;
  }
  if (!lines) story.reply.body = std::move(parser.get().body());
}

asio::awaitable<void> tell(Story& story) {
  auto executor = co_await asio::this_coro::executor;
  asio::ip::tcp::resolver resolver(executor);
  auto addresses = co_await resolver.async_resolve(story.place.host, story.place.port, asio::use_awaitable);
  beast::tcp_stream stream(executor);
  stream.expires_after(kConnectTimeout);
  co_await stream.async_connect(addresses, asio::use_awaitable);
  stream.expires_after(story.timeout);
  co_await http::async_write(stream, story.request, asio::use_awaitable);
  co_await read_reply(stream, story);
}

Result<Reply> perform(Story story, const std::string& url) {
  asio::io_context io(1);
  std::exception_ptr failure;
  asio::co_spawn(io, tell(story), [&failure](std::exception_ptr e) { failure = std::move(e); });
  io.run();
  if (!failure) return std::move(story.reply);
  try {
    std::rethrow_exception(failure);
  } catch (const boost::system::system_error& error) {
    if (error.code() == beast::error::timeout && story.reply.status == 0) return fail(ErrorClass::timeout, "no answer from " + url + " in time");
    if (story.reply.status != 0) return fail(ErrorClass::retryable, "the host at " + url + " broke off: " + error.code().message());
    return fail(ErrorClass::retryable, "host not reachable at " + url + " (" + error.code().message() + "); is `agentd serve` running?");
  } catch (const std::exception& error) {
    return fail(error.what());
  }
}

Request request_for(const Place& place, std::string_view method, std::string_view target, const std::string& token) {
  Request request(http::string_to_verb({method.data(), method.size()}), place.prefix + std::string(target), 11);
  const bool v6 = place.host.find(':') != std::string::npos;
  request.set(http::field::host, (v6 ? "[" + place.host + "]" : place.host) + ":" + place.port);
  request.set(http::field::user_agent, std::string("agentd/") + kVersion);
  request.set(http::field::connection, "close");
  if (!token.empty()) request.set(http::field::authorization, "Bearer " + token);
  return request;
}

}  // namespace

Result<Place> Place::of(std::string_view url) {
  const auto parsed = boost::urls::parse_uri({url.data(), url.size()});
  if (!parsed || parsed->host_address().empty()) return fail("\"" + std::string(url) + "\" is not a URL; try http://127.0.0.1:8765");
  if (parsed->scheme_id() == boost::urls::scheme::https) return fail("https: not supported yet; use http on loopback");
  if (parsed->scheme_id() != boost::urls::scheme::http) return fail("\"" + std::string(url) + "\" does not begin with http://");
  Place place{std::string(parsed->host_address()), parsed->port().empty() ? "80" : std::string(parsed->port()), std::string(parsed->encoded_path())};
  while (place.prefix.ends_with('/')) place.prefix.pop_back();
  return place;
}

Result<Reply> Http::exchange(std::string_view method, std::string_view target, std::string body, Millis timeout, std::string_view content_type) const {
  auto request = request_for(place_, method, target, token_);
  if (!body.empty()) request.set(http::field::content_type, {content_type.data(), content_type.size()});
  request.body() = std::move(body);
  request.prepare_payload();
  return perform({place_, std::move(request), timeout, {}, {}}, url_);
}

Result<Reply> Http::stream(std::string_view target, std::string_view last_event_id, Millis idle,
                           const std::function<bool(std::string_view)>& on_line) const {
  auto request = request_for(place_, "GET", target, token_);
  request.set(http::field::accept, "text/event-stream");
  if (!last_event_id.empty()) request.set("Last-Event-ID", {last_event_id.data(), last_event_id.size()});
  return perform({place_, std::move(request), idle, on_line, {}}, url_);
}

std::string percent_encode(std::string_view text) { return boost::urls::encode({text.data(), text.size()}, boost::urls::unreserved_chars); }

}  // namespace agentd::cli
