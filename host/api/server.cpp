#include "host/api/server.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/url/parse.hpp>

#include "host/api/connection.hpp"
#include "host/api/guard.hpp"
#include "host/api/problem.hpp"

namespace agentd::api {
namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

struct Target {
  Request request;
  std::vector<std::string> segments;
};

// Nothing when the target is not a path.
std::optional<Target> parse_target(const http::request<http::string_body>& incoming) {
  const auto url = boost::urls::parse_origin_form(incoming.target());
  if (!url) return std::nullopt;
  Target target;
  for (const auto& segment : url->segments()) target.segments.push_back(segment);
  for (const auto& parameter : url->params()) target.request.query.emplace_back(parameter.key, parameter.value);
  target.request.method = std::string(incoming.method_string());
  target.request.path = url->path();
  for (const auto& field : incoming) target.request.headers.emplace(lower(field.name_string()), std::string(field.value()));
  return target;
}

bool is_json(std::string_view content_type) {
  const auto type = lower(content_type.substr(0, content_type.find(';')));
  return type == "application/json" || type.ends_with("+json") || type == "application/jsonl" || type == "application/x-ndjson";
}

struct Picked {
  const Route* route = nullptr;
  std::string method;
  Request request;
  std::optional<Document> refused;
};

// Everything that can be said without a handler.
Picked pick(const Routes& routes, http::request<http::string_body>&& incoming) {
  Picked picked{.method = std::string(incoming.method_string())};
  const auto refuse = [&picked](Document document) {
    picked.refused = std::move(document);
    return std::move(picked);
  };
  auto target = parse_target(incoming);
  if (!target) return refuse(problem(400, "the request's target is not a path"));
  if (const auto why = foreign(incoming[http::field::host], incoming[http::field::origin])) return refuse(problem(403, *why));
  auto found = routes.find(picked.method, target->segments);
  if (std::holds_alternative<NoSuchPath>(found)) return refuse(problem(404, "there is nothing at " + target->request.path));
  if (const auto* other = std::get_if<NoSuchMethod>(&found)) {
    auto document = problem(405, picked.method + " is not for " + target->request.path);
    document.headers.emplace_back("Allow", other->allowed);
    return refuse(std::move(document));
  }
  picked.route = std::get<Match>(found).route;
  if (!incoming.body().empty() && !is_json(incoming[http::field::content_type])) return refuse(problem(415, "send Content-Type: application/json"));
  picked.request = std::move(target->request);
  picked.request.captured = std::move(std::get<Match>(found).captured);
  picked.request.body = std::move(incoming.body());
  return picked;
}

// Handlers answer errors; what a library throws all the same must not take the host down.
Async<Answer> ask(const Handler& handler, Request request) {
  try {
    auto answering = handler(std::move(request));
    co_return co_await std::move(answering);
  } catch (const std::exception& error) {
    co_return problem(500, std::string("the request failed inside the host: ") + error.what());
  }
}

}  // namespace

std::string Request::parameter(std::string_view name) const {
  for (const auto& [key, value] : query)
    if (key == name) return value;
  return {};
}

std::vector<std::string> Request::parameters(std::string_view name) const {
  std::vector<std::string> all;
  for (const auto& [key, value] : query)
    if (key == name) all.push_back(value);
  return all;
}

std::string Request::header(std::string_view name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string() : found->second;
}

Server::Server(World world, const Routes& routes, ServerLimits limits, std::function<void(const Served&)> served)
    : world_(std::move(world)), routes_(routes), limits_(limits), served_(std::move(served)), acceptor_(world_.executor) {}

Server::~Server() = default;

Result<void> Server::listen(const std::string& address) {
  const auto parsed = parse_address(address);
  if (!parsed) return std::unexpected(parsed.error());
  if (!is_loopback(parsed->host)) return fail("listen on " + address + ": an address that others reach needs tokens, which are not supported yet; use 127.0.0.1");
  const auto ip = parsed->host == "localhost" ? asio::ip::make_address("127.0.0.1") : asio::ip::make_address(parsed->host);
  const tcp::endpoint endpoint(ip, static_cast<std::uint16_t>(std::stoi(parsed->port)));
  try {
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.bind(endpoint);
    acceptor_.listen();
    port_ = acceptor_.local_endpoint().port();
  } catch (const boost::system::system_error& error) {
    return fail("cannot listen on " + address + ": " + error.code().message() + "; is another host running there?");
  }
  spawn(world_.executor, accept());
  return {};
}

Async<void> Server::accept() {
  while (acceptor_.is_open()) {
    auto [error, socket] = co_await acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
    if (error == asio::error::operation_aborted) co_return;
    if (error) {  // out of descriptors: those who are here will leave
      co_await sleep(world_.timers, Millis(100), stopping_.get_token());
      continue;
    }
    if (open_.size() >= limits_.connections) continue;  // closed at once
    spawn(world_.executor, serve(std::make_unique<Connection>(std::move(socket), limits_)));
  }
}

Async<void> Server::serve(std::unique_ptr<Connection> connection) {
  open_.insert(connection.get());
  bool open = true;
  while (open && !stopping_.stop_requested()) {
    auto incoming = co_await connection->read();
    if (std::holds_alternative<Connection::Closed>(incoming)) break;
    if (const auto* refused = std::get_if<Connection::Refused>(&incoming)) {
      const auto document = problem(refused->status, refused->detail);
      co_await connection->write(document, false, false);
      break;
    }
    auto& request = std::get<Connection::Incoming>(incoming);
    open = request.keep_alive() && !stopping_.stop_requested();
    connection->busy = true;
    const bool answered = co_await answer(*connection, std::move(request), open);
    connection->busy = false;
    open = open && answered;
  }
  connection->close();
  open_.erase(connection.get());
}

Async<bool> Server::answer(Connection& connection, http::request<http::string_body> incoming, bool keep_alive) {
  const auto begin = world_.clock.tick();
  auto picked = pick(routes_, std::move(incoming));
  Served served{picked.route ? picked.route->pattern : std::string(), picked.method, 200, 0};
  Answer answer = picked.refused ? std::move(*picked.refused) : Document();
  if (!picked.refused) {
    picked.request.stopping = stopping_.get_token();
    answer = co_await ask(picked.route->handler, std::move(picked.request));
  }
  bool open = false;
  if (const auto* document = std::get_if<Document>(&answer)) {
    served.status = document->status;
    open = co_await connection.write(*document, keep_alive, picked.method == "HEAD");
  } else {
    const bool begun = co_await connection.begin_events();
    if (begun && picked.method != "HEAD") co_await std::get<EventStream>(answer).story(connection);
    if (begun) co_await connection.end_events();
  }
  served.seconds = std::chrono::duration<double>(world_.clock.tick() - begin).count();
  if (served_) served_(served);
  co_return open;
}

Async<void> Server::stop() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  stopping_.request_stop();
  for (auto* connection : std::vector<Connection*>(open_.begin(), open_.end()))
    if (!connection->busy) connection->close();
  const auto last = world_.clock.tick() + limits_.farewell;
  while (!open_.empty()) {
    if (world_.clock.tick() >= last)
      for (auto* connection : std::vector<Connection*>(open_.begin(), open_.end())) connection->close();
    co_await sleep(world_.timers, Millis(5), std::stop_token());
  }
}

}  // namespace agentd::api
