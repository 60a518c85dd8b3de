#include "tests/support/endpoint/server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/support/endpoint/embeddings.hpp"

namespace agentd::endpoint {
namespace {

std::string_view header(std::string_view head, std::string_view name) {
  for (auto at = head.find("\r\n"); at != head.npos; at = head.find("\r\n", at + 2)) {
    const auto line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    if (line.size() <= name.size() || line[name.size()] != ':' || strncasecmp(line.data(), name.data(), name.size()) != 0) continue;
    auto value = line.substr(name.size() + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    return value;
  }
  return {};
}

void watch(int epoll, int how, int fd, std::uint32_t events) {
  epoll_event event{.events = events, .data = {.fd = fd}};
  ::epoll_ctl(epoll, how, fd, &event);
}

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

}  // namespace

Server::Server(Scenario scenario, Journal& journal, int port)
    : scenario_(std::move(scenario)), journal_(journal), epoll_(::epoll_create1(EPOLL_CLOEXEC)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const int on = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0) die("bind");
  if (::listen(listener_, 16384) != 0) die("listen");
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  watch(epoll_, EPOLL_CTL_ADD, listener_, EPOLLIN);
}

Server::~Server() {
  for (std::size_t fd = 0; fd < connections_.size(); ++fd)
    if (connections_[fd]) ::close(static_cast<int>(fd));
  ::close(listener_);
  ::close(epoll_);
}

void Server::run(int until_closed) {
  watch(epoll_, EPOLL_CTL_ADD, until_closed, EPOLLIN);
  std::array<epoll_event, 512> events;
  for (;;) {
    const int n = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait_ms());
    for (int i = 0; i < n; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == until_closed) return;
      if (fd == listener_) accept_all();
      else if (events[static_cast<std::size_t>(i)].events & EPOLLOUT) {
        if (auto* connection = find(fd)) flush(fd, *connection);
      } else read(fd);
    }
    answer_due();
  }
}

Server::Connection* Server::find(int fd) {
  const auto i = static_cast<std::size_t>(fd);
  return i < connections_.size() ? connections_[i].get() : nullptr;
}

void Server::accept_all() {
  for (;;) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connections_.size() <= static_cast<std::size_t>(fd)) connections_.resize(static_cast<std::size_t>(fd) * 2 + 1);
    connections_[static_cast<std::size_t>(fd)] = std::make_unique<Connection>();
    connections_[static_cast<std::size_t>(fd)]->generation = ++generation_;
    watch(epoll_, EPOLL_CTL_ADD, fd, EPOLLIN);
  }
}

void Server::close(int fd) {
  connections_[static_cast<std::size_t>(fd)].reset();
  ::close(fd);
}

void Server::read(int fd) {
  auto* connection = find(fd);
  if (!connection) return;
  std::array<char, 65536> bytes;
  const auto n = ::recv(fd, bytes.data(), bytes.size(), 0);
  if (n == 0 || (n < 0 && errno != EAGAIN)) return close(fd);
  if (n > 0) connection->in.append(bytes.data(), static_cast<std::size_t>(n));
  serve(fd, *connection);
}

void Server::serve(int fd, Connection& connection) {
  while (!connection.answering && !connection.closing) {
    const auto end = connection.in.find("\r\n\r\n");
    if (end == std::string::npos) return;
    const auto head = std::string_view(connection.in).substr(0, end + 2);
    std::size_t length = 0;
    const auto said = header(head, "content-length");
    std::from_chars(said.data(), said.data() + said.size(), length);
    if (connection.in.size() < end + 4 + length) return;
    const int number = ++requests_;
    std::string call_id;
    bool journaled = false;
    auto reply = decide(head, std::string_view(connection.in).substr(end + 4, length), number, call_id, journaled);
    connection.in.erase(0, end + 4 + length);
    if (scenario_.delay.count() > 0 && journaled) {
      connection.answering = true;
      later_.push_back({Clock::now() + scenario_.delay, fd, connection.generation, number, std::move(call_id), std::move(reply)});
      return;
    }
    const auto generation = connection.generation;
    if (journaled && !reply.never) journal_.answered(number, call_id, reply.status);
    give(fd, connection, std::move(reply));
    if (auto* still = find(fd); !still || still->generation != generation) return;
  }
}

Reply Server::decide(std::string_view head, std::string_view body, int number, std::string& call_id, bool& journaled) {
  const auto path = head.substr(0, head.find("\r\n"));
  if (path.starts_with("GET /v1/models ")) return models();
  if (path.starts_with("POST /v1/embeddings ")) {
    journal_.embedded(number, body);
    if (!scenario_.key.empty() && header(head, "authorization") != "Bearer " + scenario_.key)
      return refuse(401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided.");
    return embed(scenario_, body);
  }
  if (!path.starts_with("POST /v1/chat/completions ")) return refuse(404, "invalid_request_error", "unknown_url", "Unknown request URL");
  journaled = true;
  call_id = header(head, "x-client-request-id");
  const auto read = read_conversation(body);
  const auto* conversation = std::get_if<Conversation>(&read);
  journal_.asked(number, call_id, conversation ? conversation->fingerprint : 0, conversation ? conversation->messages : 0, body);
  if (!scenario_.key.empty() && header(head, "authorization") != "Bearer " + scenario_.key)
    return refuse(401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided.");
  if (!conversation) return refuse(400, "invalid_request_error", "invalid_request", std::get<std::string>(read));
  if (const auto* failure = scenario_.failure(number)) return misbehave(*failure, scenario_, *conversation, number);
  return answer(scenario_, *conversation, number);
}

void Server::give(int fd, Connection& connection, Reply reply) {
  connection.answering = reply.never;
  connection.closing = reply.close;
  if (connection.out.empty()) connection.out = std::move(reply.bytes);
  else connection.out += reply.bytes;
  flush(fd, connection);
}

void Server::flush(int fd, Connection& connection) {
  while (connection.sent < connection.out.size()) {
    const auto n = ::send(fd, connection.out.data() + connection.sent, connection.out.size() - connection.sent, MSG_NOSIGNAL);
    if (n > 0) connection.sent += static_cast<std::size_t>(n);
    else if (errno != EAGAIN) return close(fd);
    else break;
  }
  const bool more = connection.sent < connection.out.size();
  if (more != connection.writing) watch(epoll_, EPOLL_CTL_MOD, fd, EPOLLIN | (more ? EPOLLOUT : 0U));
  connection.writing = more;
  if (more) return;
  connection.out.clear();
  connection.sent = 0;
  if (connection.closing) close(fd);
}

int Server::wait_ms() const {
  if (later_.empty()) return -1;
  return std::max(0, static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(later_.front().due - Clock::now()).count()));
}

void Server::answer_due() {
  const auto now = Clock::now();
  while (!later_.empty() && later_.front().due <= now) {
    auto due = std::move(later_.front());
    later_.pop_front();
    auto* connection = find(due.fd);
    if (!connection || connection->generation != due.generation) continue;  // its client has gone
    connection->answering = false;
    if (!due.reply.never) journal_.answered(due.number, due.call_id, due.reply.status);
    give(due.fd, *connection, std::move(due.reply));
    if (auto* still = find(due.fd); still && still->generation == due.generation) serve(due.fd, *still);
  }
}

}  // namespace agentd::endpoint
