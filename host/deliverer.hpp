// Tells one sink what records say it is to be told, each message with tries of its own, at least once. What is to be told is in the
// journal, and so is what became of it: a host that starts goes on where the last one stopped.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>

#include "core/event/live.hpp"
#include "core/event/record.hpp"
#include "core/port/cleaner.hpp"
#include "host/sinks/sink.hpp"

namespace agentd::host {

// The engine thread only.
class Deliverer {
 public:
  static constexpr int kMostTries = 10;  // within about three quarters of an hour
  struct Ground {
    World world;
    port::Ledger& ledger;
    event::Live& live;
    const port::Cleaner& cleaner;
    std::function<void(const std::string&)> warn, error;  // whole sentences for the log
  };
  // The cursor is kept under "deliver:NAME".
  Deliverer(Ground ground, std::string name, Sink& sink) : ground_(std::move(ground)), name_(std::move(name)), sink_(sink) {}

  const std::string& name() const { return name_; }
  // Something is on its way, or has not been looked at yet; what rests until its next try is not counted.
  bool is_at_work() const { return following_ && (in_flight_ > 0 || read_ < ground_.ledger.last_position()); }
  // Until stop; nothing is on its way when it returns. Under a lease where the ledger is shared, and then again when it has returned.
  Async<void> follow(std::stop_token stop, port::Fence fence = {});

 private:
  struct Tiding {
    RunId run;  // that it tells of, or none
    std::string agent_id;
    int tries = 0;  // that are durable
    bool if_changed = false;  // than what the sink was told of the agent before
    bool under_way = false;  // being sent, or resting until the next try
    bool is_being_sent = false;
  };
  struct Told {
    port::StoredRecord record;
    event::Body body;
  };
  void note(const port::StoredRecord& record);
  void drop(Position at);
  bool must_wait(Position at, const Tiding& tiding) const;
  void send_some(std::stop_token stop);
  Async<void> tell(Position at, std::stop_token stop);
  Async<std::optional<Millis>> attempt(Position at, std::stop_token stop);
  Async<Result<std::optional<Told>>> read(Position at);
  Async<void> give_up(Position at, std::stop_token stop);
  std::string told_cursor(const std::string& agent_id) const { return "told:" + name_ + ':' + agent_id; }
  Async<Result<bool>> is_unchanged(const Told& told);
  Async<void> note_result(const Told& told);
  Async<bool> keep(std::string agent_id, event::Body body, std::stop_token stop);
  Async<void> await_an_end(std::stop_token stop);
  Async<bool> find_place(std::stop_token stop);
  Position place() const;  // all up to there is done with
  Async<void> save(bool now);
  void save_soon(std::stop_token stop);
  Async<void> save_later(std::stop_token stop);

  const Ground ground_;
  const std::string name_;
  Sink& sink_;
  port::Fence fence_;
  bool following_ = false;
  std::map<Position, Tiding> pending_;  // by the record that says it
  std::size_t in_flight_ = 0, resting_ = 0;
  bool saves_later_ = false;
  std::stop_source one_ended_;
  Position read_ = 0, saved_ = 0;
  Tick saved_at_{};
};

}  // namespace agentd::host
