#include "host/api/server.hpp"

#include <algorithm>

#include "core/manifest/nearest.hpp"
#include "host/api/certificate.hpp"
#include "host/api/connection.hpp"
#include "host/api/guard.hpp"
#include "host/api/head.hpp"
#include "host/api/problem.hpp"
#include "host/api/target.hpp"

namespace agentd::api {
namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
namespace {

bool is_json(std::string_view content_type) {
  const auto type = in_small_letters(content_type.substr(0, content_type.find(';')));
  return type == "application/json" || type.ends_with("+json") || type == "application/jsonl" || type == "application/x-ndjson";
}

struct Picked {
  const Route* route = nullptr;
  std::string method;
  Request request;
  std::optional<Document> refused;
  bool hang_up = false;  // with refused: nothing more is taken from this client
};

bool is_toml(std::string_view content_type) { return in_small_letters(content_type.substr(0, content_type.find(';'))) == "application/toml"; }

// Known names only: what clients make up must not become labels of metrics.
std::string method_of(const http::request<http::string_body>& incoming) {
  return incoming.method() == http::verb::unknown ? "other" : std::string(incoming.method_string());
}

Document unknown_caller(std::string_view authorization) {
  const bool shows_one = !authorization.empty();
  auto document = problem(401, shows_one ? "the token is not known here" : "this takes a token, as Authorization: Bearer TOKEN");
  document.headers.emplace_back("WWW-Authenticate", shows_one ? R"(Bearer realm="agentd", error="invalid_token")" : R"(Bearer realm="agentd")");
  return document;
}

// Who asks; the answer where they may not.
std::variant<std::string, Document> judge_caller(const Route& route, const Access& access, bool from_this_machine, std::string_view authorization) {
  if (access.is_open() || route.role == Role::none || (route.vital && from_this_machine)) return std::string();
  const auto* caller = access.caller(authorization);
  if (!caller) return unknown_caller(authorization);
  if (caller->role < route.role)
    return problem(403, "\"" + caller->name + "\" has the role " + std::string(name(caller->role)) + "; this takes " + std::string(name(route.role)));
  return caller->name;
}

// A parameter that a route does not read: whoever sends it expects it to change the answer.
std::optional<std::string> unread_parameter(const Route& route, const Target& target) {
  if (route.any_query) return std::nullopt;
  for (const auto& [name, value] : target.query) {
    const bool is_none = name.empty() && value.empty();  // "/v1/runs?" has it, and "?agent=a&"
    if (is_none || std::ranges::find(route.parameters, name) != route.parameters.end()) continue;
    std::string known;
    for (const auto& each : route.parameters) known += (known.empty() ? "; it takes " : ", ") + each;
    return route.method + " " + target.path + " takes no parameter \"" + name + "\"" + manifest::did_you_mean(name, route.parameters) + known;
  }
  return std::nullopt;
}

// Everything that can be said without a handler. near: the client is on this machine.
Picked pick(const Routes& routes, const Access& access, bool near, http::request<http::string_body>&& incoming) {
  Picked picked{.method = method_of(incoming)};
  const auto refuse = [&picked](Document document) {
    picked.refused = std::move(document);
    return std::move(picked);
  };
  auto target = parse_target({incoming.target().data(), incoming.target().size()});
  if (!target) {
    picked.hang_up = true;
    return refuse(problem(400, target.error()));
  }
  auto found = routes.find(picked.method, target->segments);
  const auto* match = std::get_if<Match>(&found);
  const bool proven = match && match->route->proven;
  const std::string_view host = incoming[http::field::host], origin = incoming[http::field::origin];
  if (const auto why = foreign(host, origin, access.is_open() ? Hosts::this_machine : Hosts::any); why && !proven) return refuse(problem(403, *why));
  if (std::holds_alternative<NoSuchPath>(found)) return refuse(problem(404, "there is nothing at " + target->path));
  if (const auto* other = std::get_if<NoSuchMethod>(&found)) {
    auto document = problem(405, std::string(incoming.method_string()) + " is not for " + target->path);
    document.headers.emplace_back("Allow", other->allowed);
    return refuse(std::move(document));
  }
  picked.route = std::get<Match>(found).route;
  const bool from_this_machine = near && !foreign(host, origin);  // a proxy here says whom else it asks for
  auto judged = judge_caller(*picked.route, access, from_this_machine, incoming[http::field::authorization]);
  if (auto* refused = std::get_if<Document>(&judged)) return refuse(std::move(*refused));
  if (const auto why = unread_parameter(*picked.route, *target)) return refuse(problem(400, *why));
  const bool has_body = !incoming.body().empty() || picked.route->streamed;
  const std::string_view content_type = incoming[http::field::content_type];
  if (!proven && has_body && !is_json(content_type) && !(picked.route->toml && is_toml(content_type)))
    return refuse(problem(415, picked.route->toml ? "send Content-Type: application/json, or application/toml" : "send Content-Type: application/json"));
  auto& request = picked.request;
  request.method = picked.method;
  request.caller = std::get<std::string>(std::move(judged));
  request.path = std::move(target->path);
  request.query = std::move(target->query);
  for (const auto& field : incoming) {
    const auto [kept, is_first] = request.headers.emplace(in_small_letters(field.name_string()), std::string(field.value()));
    if (!is_first && kept->first == "traceparent") kept->second.clear();  // nobody says which of several counts
  }
  request.captured = std::move(std::get<Match>(found).captured);
  request.body = std::move(incoming.body());
  return picked;
}

Document busy(const char* what) {
  auto document = problem(503, std::string("the host answers as many ") + what + " as it may at a time; ask again soon");
  document.headers.emplace_back("Retry-After", "1");
  return document;
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

Server::Server(World world, const Routes& routes, ServerLimits limits, std::function<void(const Served&)> served, std::function<void(const std::string&)> warn)
    : world_(std::move(world)), routes_(routes), limits_(limits), served_(std::move(served)), warn_(std::move(warn)), acceptor_(world_.executor) {}

Server::~Server() = default;

void Server::admit(Access access) {
  access_ = std::move(access);
  if (access_.is_open()) return;
  for (auto* connection : open_) {
    if (!connection->streams_for) continue;
    const auto* caller = access_.caller(connection->streams_for->shown);
    if (!caller || caller->role < connection->streams_for->role) connection->close();
  }
}

void Server::show(std::unique_ptr<Certificate> certificate) { certificate_ = std::move(certificate); }

Result<void> Server::bind(const std::string& address) {
  const auto parsed = parse_address(address);
  if (!parsed) return std::unexpected(parsed.error());
  if (!is_loopback(parsed->host) && access_.is_open()) return fail("listen on " + address + ": an address that others reach takes tokens: [api] tokens; or use 127.0.0.1");
  boost::system::error_code no_address;
  const auto ip = asio::ip::make_address(parsed->host == "localhost" ? "127.0.0.1" : parsed->host, no_address);
  if (no_address) return fail("listen on " + address + ": \"" + parsed->host + "\" is not an IP address; 0.0.0.0 and [::] are all of this machine's");
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
  return {};
}

void Server::start() { spawn(world_.executor, accept()); }

Async<void> Server::accept() {
  while (acceptor_.is_open()) {
    auto [error, socket] = co_await acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
    if (error == asio::error::operation_aborted) co_return;
    if (error) {  // those who are here will leave
      if (error == asio::error::no_descriptors || error == boost::system::errc::too_many_files_open_in_system) turn_away();
      co_await sleep(world_.timers, Millis(100), stopping_.get_token());
      continue;
    }
    if (open_.size() - leaving_ >= limits_.connections && !make_room()) continue;  // closed at once
    spawn(world_.executor, serve(std::make_unique<Connection>(*this, std::move(socket), certificate())));
  }
}

std::shared_ptr<asio::ssl::context> Server::certificate() { return certificate_ ? certificate_->current(world_.clock.tick(), warn_) : nullptr; }

// Nobody waits for an answer that does not come while others keep the descriptors.
void Server::turn_away() {
  constexpr Millis kTellAgain = std::chrono::minutes(1);
  const auto now = world_.clock.tick();
  if (warn_ && (!warned_ || now - *warned_ >= kTellAgain)) {
    warn_("no descriptor is left for clients, who are answered 503 until one is; raise the limit of open files (ulimit -n, LimitNOFILE=)");
    warned_ = now;
  }
  const auto document = problem(503, "the host has no descriptor left; ask again soon");
  const auto head = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: " + document.content_type + "\r\nContent-Length: " + std::to_string(document.body.size()) +
                    "\r\nRetry-After: 1\r\nConnection: close\r\n\r\n";
  reserve_.turn_away(acceptor_.native_handle(), head + document.body);
}

// One that asks a vital route may have to go last of all: it is answered at once, so it is still there because it does not read.
bool Server::make_room() {
  const auto patience = [](const Connection* c) { return std::pair(c->doing(), c->since()); };
  Connection* first = nullptr;
  for (auto* connection : open_) {
    if (connection->leaving || (connection->doing() == Connection::Doing::asking && !connection->vital)) continue;
    if (!first || patience(connection) < patience(first)) first = connection;
  }
  if (!first) return false;
  first->leaving = true;
  ++leaving_;
  first->close();
  return true;
}

void Server::make_room_for_a_body() {
  if (bodies_ < limits_.bodies) return;
  Connection* first = nullptr;
  for (auto* connection : open_)
    if (connection->is_sending_a_body && !connection->leaving && (!first || connection->since() < first->since())) first = connection;
  if (!first) return;
  first->leaving = true;
  ++leaving_;
  first->close();
}

Async<void> Server::serve(std::unique_ptr<Connection> connection) {
  open_.insert(connection.get());
  bool open = co_await connection->greet();
  const auto is_streamed = [this](std::string_view method, std::string_view target) {
    const auto parsed = parse_target(target);
    if (!parsed) return false;
    const auto found = routes_.find(method, parsed->segments);
    const auto* match = std::get_if<Match>(&found);
    return match && match->route->streamed;
  };
  while (open && !stopping_.stop_requested()) {
    auto incoming = co_await connection->read(is_streamed);
    if (std::holds_alternative<Connection::Closed>(incoming)) break;
    if (auto* refused = std::get_if<Refused>(&incoming)) {
      co_await refuse(*connection, refused->status, std::move(refused->detail));
      break;
    }
    auto& request = std::get<Connection::Incoming>(incoming);
    open = request.keep_alive() && !stopping_.stop_requested();
    connection->begin(Connection::Doing::asking);
    const bool answered = co_await answer(*connection, std::move(request), open);
    open = open && answered;
    if (answered && connection->has_unread_body()) {  // what comes next is no request
      co_await connection->drain();
      open = false;
    }
  }
  if (!connection->leaving) co_await connection->say_goodbye();
  connection->close();
  open_.erase(connection.get());
  if (connection->leaving) --leaving_;
}

Async<void> Server::refuse(Connection& connection, int status, std::string detail) {
  const auto document = problem(status, detail);
  if (served_) served_({{}, "other", status, 0});
  const bool written = co_await connection.write(document, false, false);
  if (written) co_await connection.drain();
}

// While a request waits for what a person or a model does, the others are those who can make that happen.
std::shared_ptr<void> Server::rest() {
  if (waits_ >= limits_.waits) return nullptr;
  ++waits_;
  --requests_;
  return {this, [](Server* server) {
            --server->waits_;
            ++server->requests_;
          }};
}

Async<bool> Server::stream(Connection& connection, EventStream stream, bool head) {
  const Work streaming(streams_);
  const bool begun = co_await connection.begin_events();
  if (begun && !head) co_await stream.story(connection);
  if (begun && !head) co_await connection.end_events();
  co_return false;
}

Async<bool> Server::answer(Connection& connection, http::request<http::string_body> incoming, bool keep_alive) {
  const auto begin = world_.clock.tick();
  const auto shown = Access::shown(incoming[http::field::authorization]);
  auto picked = pick(routes_, access_, connection.is_near(), std::move(incoming));
  connection.vital = picked.route && picked.route->vital;
  if (!picked.refused && !connection.vital && requests_ >= limits_.requests) picked.refused = busy("requests");
  std::size_t uncounted = 0;
  std::optional<Work> working(std::in_place, connection.vital ? uncounted : requests_);
  Served served{picked.route ? picked.route->pattern : std::string(), picked.method, 200, 0};
  Answer answer = picked.refused ? std::move(*picked.refused) : Document();
  if (!picked.refused) {
    picked.request.stopping = stopping_.get_token();
    if (picked.route->streamed) picked.request.incoming = &connection;
    picked.request.rest = [this] { return rest(); };
    answer = co_await ask(picked.route->handler, std::move(picked.request));
  }
  const bool head = picked.method == "HEAD";
  if (std::holds_alternative<EventStream>(answer)) working.reset();
  if (std::holds_alternative<EventStream>(answer) && streams_ >= limits_.streams) answer = busy("event streams");
  bool open = false;
  if (const auto* document = std::get_if<Document>(&answer)) {
    served.status = document->status;
    open = co_await connection.write(*document, keep_alive && !picked.hang_up, head);
    open = open && !picked.hang_up;
  } else {
    connection.streams_for = Connection::Reader{shown, picked.route->role};
    open = co_await stream(connection, std::get<EventStream>(std::move(answer)), head);
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
    if (connection->doing() != Connection::Doing::asking) connection->close();
  const auto last = world_.clock.tick() + limits_.farewell;
  while (!open_.empty()) {
    if (world_.clock.tick() >= last)
      for (auto* connection : std::vector<Connection*>(open_.begin(), open_.end())) connection->close();
    co_await sleep(world_.timers, Millis(5), std::stop_token());
  }
}

}  // namespace agentd::api
