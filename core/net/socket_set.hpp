// libcurl's sockets, behind one epoll descriptor that Asio waits for. Against a descriptor of Asio's per socket this saves a system call
// per wait, hands over what is ready in one batch, and leaves no descriptor to be taken back from Asio before libcurl closes it.
//
// A socket that libcurl stops watching stays registered while it is ours (opened() to closed()): a pooled connection goes in and out of
// use with every request. When something happens on one that nobody watches, it is taken out.
#pragma once
#include <sys/epoll.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/base/async.hpp"

namespace agentd::net {

class SocketSet {
 public:
  struct Ready {
    int fd;
    std::uint32_t lane;  // the one that watches it
    bool readable, writable;
  };
  // ready is called with a batch, on the executor; it may call any function of this class.
  SocketSet(const Executor& executor, std::function<void(std::span<const Ready>)> ready);
  ~SocketSet();
  SocketSet(const SocketSet&) = delete;
  SocketSet& operator=(const SocketSet&) = delete;

  void opened(int fd);                          // ours: closed() will be told before it is closed
  void closed(int fd);
  void watch(int fd, std::uint32_t lane, bool read, bool write);  // neither: stop watching. A watch the kernel refuses (out of memory) ends in the transfer's timeout

 private:
  struct Socket {
    std::uint32_t wanted = 0, registered = 0, lane = 0;
    bool ours = false;
  };
  Socket& at(int fd);
  void change(int fd, Socket& socket, std::uint32_t to);
  void wait();
  void collect();

  boost::asio::posix::stream_descriptor epoll_;
  std::function<void(std::span<const Ready>)> ready_;
  std::vector<Socket> sockets_;  // by descriptor: small integers
  std::vector<epoll_event> events_;
  std::vector<Ready> batch_;
  std::shared_ptr<SocketSet*> self_;  // shared with the waiting handler, which may be queued when this object goes
};

}  // namespace agentd::net
