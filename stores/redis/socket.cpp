#include "socket.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace agentd::redis {
namespace {

constexpr const char* kClosed = "the server closed the connection";

int milliseconds_until(Deadline until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<std::chrono::milliseconds::rep>(left.count(), 0, 3'600'000));
}

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Addresses addresses_of(const std::string& host, int port) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found);
  if (code != 0) throw Lost(code == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(code));
  return {found, &::freeaddrinfo};
}

// 0, or why not.
int connect_to(int fd, const addrinfo& address, Deadline until) {
  if (::connect(fd, address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  pollfd one{fd, POLLOUT, 0};
  int ready = 0;
  do ready = ::poll(&one, 1, milliseconds_until(until));
  while (ready < 0 && errno == EINTR);
  if (ready <= 0) return ready == 0 ? ETIMEDOUT : errno;
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

}  // namespace

Socket::Socket(const std::string& host, int port, Deadline until) {
  int error = 0;
  const auto all = addresses_of(host, port);
  for (const auto* address = all.get(); address; address = address->ai_next) {
    fd_ = ::socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, address->ai_protocol);
    error = fd_ < 0 ? errno : connect_to(fd_, *address, until);
    if (error == 0) break;
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  if (fd_ < 0) throw Lost(std::strerror(error));
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(fd_, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

Socket::~Socket() { ::close(fd_); }

void Socket::wait(short events, Deadline until) const {
  pollfd one{fd_, events, 0};
  int ready = 0;
  do ready = ::poll(&one, 1, milliseconds_until(until));
  while (ready < 0 && errno == EINTR);
  if (ready == 0) throw Lost("no answer in time");
  if (ready < 0) throw Lost(std::strerror(errno));
}

void Socket::send(std::string_view bytes, Deadline until) {
  while (!bytes.empty()) {
    const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    else if (errno == EAGAIN) wait(POLLOUT, until);
    else if (errno != EINTR) throw Lost(errno == EPIPE || errno == ECONNRESET ? kClosed : std::strerror(errno));
  }
}

std::size_t Socket::receive(char* to, std::size_t most, Deadline until) {
  for (;;) {
    const auto got = ::recv(fd_, to, most, 0);
    if (got > 0) return static_cast<std::size_t>(got);
    if (got == 0) throw Lost(kClosed);
    if (errno == EAGAIN) wait(POLLIN, until);
    else if (errno != EINTR) throw Lost(errno == ECONNRESET ? kClosed : std::strerror(errno));
  }
}

bool Socket::is_idle() const {
  char byte = 0;
  return ::recv(fd_, &byte, 1, MSG_PEEK) < 0 && errno == EAGAIN;
}

}  // namespace agentd::redis
