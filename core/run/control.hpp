// How a run in flight is told to end or to pause. The engine thread only.
#pragma once
#include <stop_token>
#include <string>

namespace agentd::run {

class Control {
 public:
  enum class Why { none, cancelled, timed_out, past_deadline, released, lost };

  // What is under way is stopped at once; the first reason stands, but "lost" beats all: nothing may be written any more.
  // "released" ends waiting for the ledger too, whatever the reason that stands: the process ends.
  void interrupt(Why why, std::string reason = {}) {
    if (why == Why::released) leave();
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
  bool leaving() const { return leaving_; }
  std::stop_token leaving_token() {
    if (!leave_.stop_possible()) leave_ = std::stop_source();
    if (leaving_) leave_.request_stop();
    return leave_.get_token();
  }

 private:
  void leave() {
    leaving_ = true;
    leave_.request_stop();
  }

  std::stop_source stop_;
  std::stop_source leave_{std::nostopstate};  // made when somebody waits: hardly a run ever does
  Why why_ = Why::none;
  bool draining_ = false, leaving_ = false;
  std::string reason_;
};

}  // namespace agentd::run
