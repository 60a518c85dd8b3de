// A server that speaks JSON over HTTP, and what is asked of it within one operation.
#pragma once
#include <agentd/sdk/http.hpp>

#include <atomic>
#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace agentd::points {

// Any thread.
class Server {
 public:
  Server(sdk::Host host, std::string product, std::string url, sdk::HttpHeaders headers);
  std::string name() const;  // for messages: the product, and where it is

 private:
  friend class Conversation;
  const sdk::Host host_;
  const std::string product_, url_;
  const sdk::HttpHeaders headers_;
  std::atomic<bool> is_told_{false};  // that it is away
};

struct Answer {
  int status = 0;
  std::string body;

  bool is_fine() const { return status >= 200 && status <= 299; }
  nlohmann::json json() const;  // throws sdk::Error on what is none
};

// What is asked may be asked again: whoever writes the requests sees to it that twice is the same as once.
class Conversation {
 public:
  using Clock = std::chrono::steady_clock;
  Conversation(Server& server, std::chrono::milliseconds timeout) : server_(server), until_(Clock::now() + timeout) {}

  // Any answer but "not now", for which it waits, as for a connection, until the time is up. Then, or for a key that is not taken, throws sdk::Error.
  Answer ask(const std::string& method, const std::string& path, const nlohmann::json* body);
  nlohmann::json get(const std::string& path);
  nlohmann::json post(const std::string& path, const nlohmann::json& body);
  nlohmann::json put(const std::string& path, const nlohmann::json& body);
  // An answer that was not hoped for.
  [[noreturn]] void refused(const Answer& answer) const;

 private:
  nlohmann::json fine(const Answer& answer) const;
  Server& server_;
  const Clock::time_point until_;
};

}  // namespace agentd::points
