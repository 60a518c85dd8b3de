// Both HTTP exchanges of a run with the bare libcurl: one easy handle per run in flight, sockets watched by epoll, bodies dropped.
#pragma once
#include <functional>
#include <string>

namespace agentd::bench {

struct FloorTraffic {
  std::string url;
  int runs = 1000, in_flight = 64;
  bool stream = false;
};
// Calls after(call) when the first (0) and the second (1) call of a run has been answered. Returns how many answers were not 200.
int exchange_all(const FloorTraffic& traffic, const std::function<void(int)>& after);

}  // namespace agentd::bench
