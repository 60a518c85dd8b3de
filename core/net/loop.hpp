// Drives libcurl from the engine's executor. libcurl is never entered from inside one of its callbacks: what handlers
// ask for there (start, pause, abort) waits for the next turn.
#pragma once
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/net/client.hpp"
#include "core/net/lane.hpp"
#include "core/net/name_gate.hpp"
#include "core/net/socket_set.hpp"
#include "core/net/transfer.hpp"

namespace agentd::net {

class Loop {
 public:
  using Id = port::HttpClient::Id;
  Loop(World world, Settings settings);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  Id start(port::HttpRequest request, port::HttpHandler handler);
  void pause(Id id, bool paused);
  void abort(Id id);
  std::size_t in_flight() const { return live_.size(); }

 private:
  struct Coming {
    Id id;
    port::HttpRequest request;
    port::HttpHandler handler;
    bool paused = false;
  };
  struct Admitted {
    Id id;
    std::string gate;
  };

  void want_turn();
  void turn();
  void begin(Coming coming);
  void enter_gate(Transfer& transfer);
  void leave_gate(Transfer& transfer);
  void admit_next(const std::string& gate);
  void run(Transfer& transfer);
  void watch_time(Transfer& transfer);
  void idle_check(Id id);
  void end_early(Id id, Error why);
  void timed_out(Id id, std::string what);
  void end(Transfer& transfer, Result<void> result);
  void on_ready(std::span<const SocketSet::Ready> ready);
  void expire();
  void hand_over();
  void collect_ended(Lane& lane);
  void settle();
  void on_due(Lane::Time when);
  void arm(Lane::Time when);
  Lane& lane_with_room();
  void close_idle_lanes();
  Transfer* find(Id id);

  World world_;
  Settings settings_;
  SocketSet sockets_;
  Transfer::Surroundings around_;
  NameGate gate_;

  std::vector<std::unique_ptr<Lane>> lanes_;  // filled from the front
  Timers::Id lane_check_ = 0;
  std::unordered_map<Id, std::unique_ptr<Transfer>> live_;
  std::vector<std::unique_ptr<Transfer>> spare_;
  Id last_ = 0;

  std::vector<Coming> coming_;
  std::vector<Admitted> admitted_;
  std::vector<Id> going_on_, aborted_, with_body_;
  bool turn_wanted_ = false;
  bool driving_ = false;  // what libcurl asks for now is looked at before control goes back to the executor

  // One timer for all lanes. It may fire early, when a later time was asked for meanwhile.
  boost::asio::steady_timer timer_;
  std::optional<Lane::Time> armed_;

  std::shared_ptr<Loop*> self_;  // shared with queued handlers, which may outlive this object
};

}  // namespace agentd::net
