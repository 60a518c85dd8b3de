// A way to a server that breaks off where a test says.
#pragma once
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace agentd::support {

class CuttingProxy {
 public:
  enum class Way { up, down };  // to the server, from it

  explicit CuttingProxy(int server_port) : server_port_(server_port), listener_(socket_on(0, &CuttingProxy::begin_listening)), thread_([this] { serve(); }) {}
  ~CuttingProxy() {
    stopping_ = true;
    thread_.join();
    ::close(listener_);
  }
  CuttingProxy(const CuttingProxy&) = delete;

  int port() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
  }
  // The connection that carries the byte after the next `bytes` is closed in its place; once.
  void cut(Way way, std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    passed_ = {};
    cut_ = {{way, bytes}};
  }
  // Nothing passes from the server any more, and nobody is told; until the next call.
  void stall(bool stalled) { stalled_ = stalled; }
  // How many have passed since the last call, and whether a cut is still to come.
  std::array<std::uint64_t, 2> take_count() {
    const std::lock_guard lock(mutex_);
    return std::exchange(passed_, {});
  }
  bool has_cut() {
    const std::lock_guard lock(mutex_);
    return !cut_;
  }

 private:
  struct Pair {
    int client, server;
  };
  static void begin_listening(int fd, sockaddr_in& address) {
    if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || ::listen(fd, 64) != 0) throw std::runtime_error("the proxy cannot listen");
  }
  static void begin_connection(int fd, sockaddr_in& address) { (void)::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address); }
  static void send_at_once(int fd) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  static int socket_on(int port, void (*use)(int, sockaddr_in&)) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    send_at_once(fd);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    use(fd, address);
    return fd;
  }
  // How many bytes may pass; the connection ends behind them when `ends`.
  std::size_t pass(Way way, std::size_t bytes, bool& ends) {
    const std::lock_guard lock(mutex_);
    auto& passed = passed_[static_cast<std::size_t>(way)];
    ends = cut_ && cut_->first == way && passed + bytes > cut_->second;
    if (ends) bytes = static_cast<std::size_t>(cut_->second - passed);
    passed += bytes;
    if (ends) cut_.reset();
    return bytes;
  }
  // False: the connection is over.
  bool forward(int from, int to, Way way) {
    std::array<char, 16 << 10> bytes;
    const auto got = ::recv(from, bytes.data(), bytes.size(), 0);
    if (got <= 0) return false;
    bool ends = false;
    const auto may = pass(way, static_cast<std::size_t>(got), ends);
    for (std::size_t sent = 0; sent < may;) {
      const auto done = ::send(to, bytes.data() + sent, may - sent, MSG_NOSIGNAL);
      if (done <= 0) return false;
      sent += static_cast<std::size_t>(done);
    }
    return !ends;
  }
  void serve() {
    std::list<Pair> pairs;
    while (!stopping_) {
      std::vector<pollfd> polled = {{listener_, POLLIN, 0}};
      for (const auto& pair : pairs) polled.push_back({pair.client, POLLIN, 0}), polled.push_back({pair.server, static_cast<short>(stalled_ ? 0 : POLLIN), 0});
      if (::poll(polled.data(), polled.size(), 10) <= 0) continue;
      std::size_t at = 1;
      for (auto pair = pairs.begin(); pair != pairs.end(); at += 2) {
        const bool lives = (!(polled[at].revents) || forward(pair->client, pair->server, Way::up)) && (!(polled[at + 1].revents & POLLIN) || forward(pair->server, pair->client, Way::down));
        if (lives) {
          ++pair;
          continue;
        }
        close_both(*pair);
        pair = pairs.erase(pair);
      }
      if (!polled[0].revents) continue;
      pairs.push_back({::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC), socket_on(server_port_, &CuttingProxy::begin_connection)});
      send_at_once(pairs.back().client);
    }
    for (const auto& pair : pairs) close_both(pair);
  }
  static void close_both(const Pair& pair) {
    ::close(pair.client);
    ::close(pair.server);
  }

  const int server_port_;
  const int listener_;
  std::atomic<bool> stopping_ = false, stalled_ = false;
  std::mutex mutex_;
  std::array<std::uint64_t, 2> passed_{};
  std::optional<std::pair<Way, std::uint64_t>> cut_;
  std::thread thread_;
};

}  // namespace agentd::support
