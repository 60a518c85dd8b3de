// One of libcurl's multi handles, with a bounded number of transfers. For every request libcurl looks through all connections it has to
// that host: with thousands in one handle that is most of the work (measured: 6 times the CPU per exchange at 5,000 as at 64).
#pragma once
#include <curl/curl.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "core/net/socket_set.hpp"
#include "core/net/transfer.hpp"

namespace agentd::net {

class Lane {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::size_t kTransfers = 128;
  static constexpr long kConnections = 256;  // idle ones included

  // number: what the sockets of this lane are watched under. due_changed is called from inside libcurl.
  Lane(SocketSet& sockets, std::uint32_t number, std::function<void(Time)> due_changed);
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  bool add(Transfer& transfer);     // false: libcurl would not take it
  void remove(Transfer& transfer);
  std::size_t transfers() const { return transfers_; }

  void ready(int fd, bool readable, bool writable);
  void expire(Time now);            // libcurl's timer, if it is due
  std::optional<Time> due() const { return due_; }
  // The next transfer that has ended and is out of the lane now, with its code; nullptr: none.
  Transfer* next_ended(CURLcode& code);

  bool was_idle = false;            // for its owner, who closes a lane that stays without transfers

 private:
  struct Cleanup {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };
  void act(curl_socket_t fd, int what);
  int on_socket(curl_socket_t fd, int what);
  int on_timer(long ms);

  SocketSet& sockets_;
  std::uint32_t number_;
  std::function<void(Time)> due_changed_;
  std::optional<Time> due_;
  std::size_t transfers_ = 0;
  bool acted_ = false;              // since all ended transfers were taken out
  std::unique_ptr<CURLM, Cleanup> multi_;
};

}  // namespace agentd::net
