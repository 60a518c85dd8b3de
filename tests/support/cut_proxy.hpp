// Between a client and a server on loopback: passes on what both say until it is told to cut the line at a word of the client's.
#pragma once
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace agentd::support {

class CutProxy {
 public:
  // The word does not arrive; it arrives, and its answer does not; and from then on nobody gets through.
  enum class Cut { none, before, behind, behind_and_refuse };

  explicit CutProxy(int to) : to_(to), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    auto at = loopback(0);
    socklen_t size = sizeof at;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 || ::listen(listener_, 64) != 0 || ::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size) != 0)
      throw std::runtime_error("no proxy");
    port_ = ntohs(at.sin_port);
    acceptor_ = std::thread([this] { accept(); });
  }
  ~CutProxy() {
    ending_ = true;
    acceptor_.join();
    for (auto& line : lines_) line.join();
    ::close(listener_);
  }
  CutProxy(const CutProxy&) = delete;
  int port() const { return port_; }

  // The next time that a client says the word, once.
  void cut_at(std::string word, Cut how) {
    const std::lock_guard lock(mutex_);
    word_ = std::move(word);
    how_ = how;
  }
  void refuse(bool refused) { refused_ = refused; }  // nobody gets through; open lines are cut

 private:
  static sockaddr_in loopback(int port) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(static_cast<std::uint16_t>(port));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return at;
  }
  Cut take_cut(const std::string& said) {
    const std::lock_guard lock(mutex_);
    if (how_ == Cut::none || said.find(word_) == said.npos) return Cut::none;
    return std::exchange(how_, Cut::none);
  }
  void accept() {
    while (!ending_) {
      pollfd waiting{listener_, POLLIN, 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client >= 0) lines_.emplace_back([this, client] { carry(client); });
    }
  }
  void carry(int client) {
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto at = loopback(to_);
    const bool is_open = !refused_ && ::connect(server, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
    while (is_open && !ending_ && !refused_) {
      pollfd waiting[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
      if (::poll(waiting, 2, 20) < 0) break;
      char bytes[1 << 16];
      if (waiting[0].revents) {
        const auto got = ::read(client, bytes, sizeof bytes);
        if (got <= 0) break;
        const auto cut = take_cut(std::string(bytes, static_cast<std::size_t>(got)));
        if (cut == Cut::before) break;
        if (::write(server, bytes, static_cast<std::size_t>(got)) != got) break;
        if (cut != Cut::none) {  // until the server has said that it is done
          pollfd answer{server, POLLIN, 0};
          ::poll(&answer, 1, 5000);
          if (cut == Cut::behind_and_refuse) refused_ = true;
          break;
        }
      }
      if (waiting[1].revents) {
        const auto got = ::read(server, bytes, sizeof bytes);
        if (got <= 0 || ::write(client, bytes, static_cast<std::size_t>(got)) != got) break;
      }
    }
    ::close(client);
    ::close(server);
  }

  const int to_, listener_;
  int port_ = 0;
  std::atomic<bool> ending_ = false, refused_ = false;
  std::mutex mutex_;
  std::string word_;
  Cut how_ = Cut::none;
  std::thread acceptor_;
  std::vector<std::thread> lines_;
};

}  // namespace agentd::support
