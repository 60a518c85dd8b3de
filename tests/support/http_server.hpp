// A small server for tests whose answers are raw bytes, so that it can misbehave. A thread per connection; a script says what becomes of
// each request. Everything ends with the server.
#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace agentd::support {

struct HttpAsked {
  std::string method, target, body;
  std::map<std::string, std::string> headers;  // names in lower case
  int connection = 0;                          // from 1, in order of arrival
};

// What a script may do with a request. After it returns the connection serves the next one, unless it was closed.
class HttpTalk {
 public:
  explicit HttpTalk(int fd) : fd_(fd) {}
  void send(std::string_view bytes) {
    while (!bytes.empty() && fd_ >= 0) {
      const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return close();
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  void answer(int status, std::string_view body, std::string_view headers = "") {
    send("HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + std::string(headers) + "\r\n" + std::string(body));
  }
  // Says nothing more; returns when the client has closed the connection or the server goes.
  void hang() {
    char byte;
    while (fd_ >= 0 && ::recv(fd_, &byte, 1, 0) > 0) {}
    close();
  }
  void close() {
    if (fd_ >= 0) ::shutdown(fd_, SHUT_RDWR);
    fd_ = -1;
  }
  void reset() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    reset_ = true;
    fd_ = -1;
  }
  bool open() const { return fd_ >= 0; }

 private:
  int fd_;
  bool reset_ = false;
};

class HttpServer {
 public:
  using Script = std::function<void(const HttpAsked&, HttpTalk&)>;

  explicit HttpServer(Script script) : script_(std::move(script)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 1024) != 0) std::abort();
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~HttpServer() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    for (auto& thread : serving_) thread.join();
    ::close(listener_);
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  int port() const { return port_; }
  std::string url(std::string_view path = "/") const { return "http://127.0.0.1:" + std::to_string(port_) + std::string(path); }
  int connections() const { return connections_; }  // so far
  std::size_t open() const {
    const std::lock_guard lock(mutex_);
    return open_.size();
  }
  std::vector<HttpAsked> asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  void accept_all() {
    for (;;) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      const int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      const std::lock_guard lock(mutex_);
      open_.push_back(fd);
      serving_.emplace_back([this, fd, number = ++connections_] { serve(fd, number); });
    }
  }
  void serve(int fd, int number) {
    std::string buffer;
    HttpAsked asked;
    while (read_request(fd, buffer, asked)) {
      asked.connection = number;
      {
        const std::lock_guard lock(mutex_);
        asked_.push_back(asked);
      }
      HttpTalk talk(fd);
      script_(asked, talk);
      if (!talk.open()) break;
    }
    const std::lock_guard lock(mutex_);
    std::erase(open_, fd);
    ::close(fd);
  }
  static bool read_request(int fd, std::string& buffer, HttpAsked& asked) {
    asked = {};
    std::size_t end;
    while ((end = buffer.find("\r\n\r\n")) == buffer.npos)
      if (!more(fd, buffer)) return false;
    const std::string head = buffer.substr(0, end + 2);
    buffer.erase(0, end + 4);
    const auto first = head.find("\r\n");
    const auto space = head.find(' ');
    asked.method = head.substr(0, space);
    asked.target = head.substr(space + 1, head.find(' ', space + 1) - space - 1);
    for (std::size_t at = first + 2; at < head.size();) {
      const auto stop = head.find("\r\n", at);
      const auto colon = head.find(':', at);
      std::string name = head.substr(at, colon - at);
      for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      const auto value = head.find_first_not_of(' ', colon + 1);
      asked.headers[name] = value < stop ? head.substr(value, stop - value) : "";
      at = stop + 2;
    }
    const auto length = asked.headers.count("content-length") ? std::strtoul(asked.headers["content-length"].c_str(), nullptr, 10) : 0;
    while (buffer.size() < length)
      if (!more(fd, buffer)) return false;
    asked.body = buffer.substr(0, length);
    buffer.erase(0, length);
    return true;
  }
  static bool more(int fd, std::string& buffer) {
    char bytes[16384];
    const auto n = ::recv(fd, bytes, sizeof bytes, 0);
    if (n > 0) buffer.append(bytes, static_cast<std::size_t>(n));
    return n > 0;
  }

  Script script_;
  int listener_;
  int port_ = 0;
  std::atomic<int> connections_ = 0;
  std::thread acceptor_;
  mutable std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> serving_;
  std::vector<HttpAsked> asked_;
};

}  // namespace agentd::support
