// Keeps a worker's lease, and listens: a thread and a connection of its own, so that neither a long group nor the host's loop holds it up.
#pragma once
#include <functional>
#include <string>
#include <thread>

#include "connection.hpp"
#include "lease.hpp"

namespace agentd::postgres {

class Keeper {
 public:
  // Called on the keeper's thread.
  struct Ears {
    std::function<void()> look;                           // others may have written, or died
    std::function<void(const std::string& why)> trouble;  // the server cannot be reached; once
  };
  Keeper(Place place, std::string channel, Lease& lease, ServerClock& clock, Ears ears);
  ~Keeper();  // no ear is called any more when it returns
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

 private:
  void run();
  void keep(Connection& connection);
  bool rest(std::chrono::milliseconds longest);  // false: it is to end
  void forget_old_groups(Connection& connection, std::int64_t groups);

  const Place place_;
  const std::string channel_;
  Lease& lease_;
  ServerClock& clock_;
  const Ears ears_;
  int wake_ = -1;  // an eventfd: readable when it is to end
  std::atomic<bool> ending_ = false;
  std::chrono::nanoseconds kept_at_{0};
  std::int64_t looked_at_ = -1;
  std::vector<std::pair<std::chrono::nanoseconds, std::int64_t>> marks_;  // how many groups there were, minute by minute
  std::thread thread_;
};

}  // namespace agentd::postgres
