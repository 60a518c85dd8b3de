#include "core/net/socket_set.hpp"

#include <cerrno>
#include <cstdlib>

namespace agentd::net {

constexpr std::size_t kBatch = 256;

SocketSet::SocketSet(const Executor& executor, std::function<void(std::span<const Ready>)> ready)
    : epoll_(executor, epoll_create1(EPOLL_CLOEXEC)), ready_(std::move(ready)), events_(kBatch), self_(std::make_shared<SocketSet*>(this)) {
  wait();
}

SocketSet::~SocketSet() { *self_ = nullptr; }

SocketSet::Socket& SocketSet::at(int fd) {
  const auto i = static_cast<std::size_t>(fd);
  if (i >= sockets_.size()) sockets_.resize(i + 1 + i / 2);
  return sockets_[i];
}

void SocketSet::opened(int fd) { at(fd) = {.ours = true}; }

void SocketSet::closed(int fd) { at(fd) = {}; }  // the kernel forgets it with the close

void SocketSet::watch(int fd, std::uint32_t lane, bool read, bool write) {
  auto& socket = at(fd);
  socket.lane = lane;
  socket.wanted = (read ? EPOLLIN : 0U) | (write ? EPOLLOUT : 0U);
  if (socket.wanted ? socket.wanted != socket.registered : !socket.ours) change(fd, socket, socket.wanted);
}

void SocketSet::change(int fd, Socket& socket, std::uint32_t to) {
  if (socket.registered == to) return;
  epoll_event event{.events = to, .data = {.fd = fd}};
  const int how = to == 0 ? EPOLL_CTL_DEL : socket.registered == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  int result = epoll_ctl(epoll_.native_handle(), how, fd, &event);
  if (result != 0 && how == EPOLL_CTL_MOD && errno == ENOENT) result = epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, fd, &event);
  if (result != 0 && how == EPOLL_CTL_ADD && errno == EEXIST) result = epoll_ctl(epoll_.native_handle(), EPOLL_CTL_MOD, fd, &event);
  socket.registered = result == 0 ? to : 0;
}

void SocketSet::wait() {
  epoll_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [self = self_](boost::system::error_code error) {
    if (!error && *self) (*self)->collect();
  });
}

void SocketSet::collect() {
  const int n = epoll_wait(epoll_.native_handle(), events_.data(), static_cast<int>(events_.size()), 0);
  batch_.clear();
  for (int i = 0; i < n; ++i) {
    const auto& event = events_[static_cast<std::size_t>(i)];
    auto& socket = at(event.data.fd);
    if (socket.wanted == 0) {
      change(event.data.fd, socket, 0);
      continue;
    }
    const bool broken = (event.events & (EPOLLERR | EPOLLHUP)) != 0;  // reading or writing says what it is
    batch_.push_back({event.data.fd, socket.lane, (socket.wanted & EPOLLIN) && (broken || (event.events & EPOLLIN)),
                      (socket.wanted & EPOLLOUT) && (broken || (event.events & EPOLLOUT))});
  }
  const auto self = self_;
  if (!batch_.empty()) ready_(batch_);
  if (*self) wait();
}

}  // namespace agentd::net
