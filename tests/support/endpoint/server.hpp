// HTTP/1.1 on epoll, one thread, connections kept alive. Only what a chat-completions client needs.
#pragma once
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/endpoint/journal.hpp"
#include "tests/support/endpoint/scenario.hpp"

namespace agentd::endpoint {

class Server {
 public:
  Server(Scenario scenario, Journal& journal, int port);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port() const { return port_; }
  void run(int until_closed);  // until that descriptor is readable

 private:
  using Clock = std::chrono::steady_clock;
  struct Connection {
    std::uint64_t generation = 0;
    std::string in, out;
    std::size_t sent = 0;
    bool answering = false, closing = false, writing = false;
  };
  struct Later {
    Clock::time_point due;
    int fd;
    std::uint64_t generation;
    int number;
    std::string call_id;
    Reply reply;
  };

  void accept_all();
  void read(int fd);
  void serve(int fd, Connection& connection);  // the requests that have arrived whole
  Reply decide(std::string_view head, std::string_view body, int number, std::string& call_id, bool& journaled);
  void give(int fd, Connection& connection, Reply reply);
  void flush(int fd, Connection& connection);
  void close(int fd);
  void answer_due();
  int wait_ms() const;
  Connection* find(int fd);

  Scenario scenario_;
  Journal& journal_;
  int epoll_, listener_, port_ = 0;
  std::vector<std::unique_ptr<Connection>> connections_;  // by descriptor
  std::deque<Later> later_;                               // every answer waits equally long: in order
  std::uint64_t generation_ = 0;
  int requests_ = 0;
};

}  // namespace agentd::endpoint
