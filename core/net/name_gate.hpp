// Holds transfers back while a host's name is looked up: libcurl gives every transfer that finds no cached name a thread of its own,
// so ten thousand at once would be ten thousand threads asking the same question.
#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace agentd::net {

class NameGate {
 public:
  using Id = std::uint64_t;
  static constexpr int kLookups = 4;  // at once, per name

  // True: go on, and say leave() once the name is known or the transfer has ended. False: it waits its turn.
  bool enter(const std::string& host, Id id);
  // Those that may go on now; each of them has entered.
  std::vector<Id> leave(const std::string& host);

 private:
  struct Host {
    int inside = 0;
    std::deque<Id> waiting;
  };
  std::unordered_map<std::string, Host> hosts_;
};

}  // namespace agentd::net
