// How a run in flight is told to end or to pause. The engine thread only.
#pragma once
#include <stop_token>
#include <string>

namespace agentd::run {

class Control {
 public:
  enum class Why { none, cancelled, timed_out, past_deadline, released, lost };

  // What is under way is stopped at once; the first reason stands, but "lost" beats all: nothing may be written any more.
  void interrupt(Why why, std::string reason = {}) {
    if (why_ != Why::none && why != Why::lost) return;
    why_ = why;
    reason_ = std::move(reason);
    stop_.request_stop();
  }
  // What is under way ends as it would; then the run is given back.
  void drain() { draining_ = true; }

  Why why() const { return why_; }
  bool interrupted() const { return why_ != Why::none; }
  bool draining() const { return draining_; }
  const std::string& reason() const { return reason_; }
  std::stop_token token() const { return stop_.get_token(); }

 private:
  std::stop_source stop_;
  Why why_ = Why::none;
  bool draining_ = false;
  std::string reason_;
};

}  // namespace agentd::run
