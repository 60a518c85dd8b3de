// A TCP connection where everything has a deadline.
#pragma once
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace agentd::redis {

using Deadline = std::chrono::steady_clock::time_point;

// The connection is no more.
struct Lost : std::runtime_error {
  using std::runtime_error::runtime_error;
  bool asked = false;  // the server may have done what it was asked
};

// One thread at a time. Every function throws Lost with the reason.
class Socket {
 public:
  Socket(const std::string& host, int port, Deadline until);
  ~Socket();
  Socket(const Socket&) = delete;

  void send(std::string_view bytes, Deadline until);                      // all of them
  std::size_t receive(char* to, std::size_t most, Deadline until);        // at least one
  bool is_idle() const;                                                   // open, and nothing has come that nobody asked for

 private:
  void wait(short events, Deadline until) const;
  int fd_ = -1;
};

}  // namespace agentd::redis
