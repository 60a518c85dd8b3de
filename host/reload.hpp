// What is read again while the host runs: the manifests whenever their folders change, and with them agentd.toml when somebody asks.
#pragma once
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/turns.hpp"
#include "host/cli/command.hpp"
#include "host/fleet.hpp"
#include "host/folder_watch.hpp"
#include "host/front_door.hpp"
#include "host/setup.hpp"

namespace agentd::host {

// The engine thread only.
class Reload {
 public:
  struct Outcome {
    std::vector<manifest::Problem> problems;  // of agentd.toml or the folders: then nothing has changed
    Changes changes;
    std::vector<std::string> needs_restart;   // keys of agentd.toml that differ from what is in force, and stay so until then
  };
  // Whose tokens are taken from now on.
  struct Doorkeeper {
    Resolve resolve;
    std::function<void(api::Access)> admit;
  };
  // The setup's [defaults] and agent_dirs are put in force by a reload; whoever reads them reads them there.
  Reload(World world, Setup& setup, const cli::Serve& command, Doorkeeper doorkeeper, Fleet& fleet, Watch& watch, const Roster& roster, const Log& log);

  void start();
  Async<void> stop();  // nothing is read any more when it returns
  Async<Outcome> everything();
  void look_soon() { arm(kSettle); }  // at the manifests
  // What is in force is what is on the disk, as far as the last look went.
  bool is_current() const { return config_is_current_ && agents_are_current_; }

 private:
  static constexpr Millis kSettle{300};  // files are seldom changed one at a time
  static constexpr Millis kFirstPause{1'000}, kLongestPause{60'000};  // before another look, where what was in the way may have passed

  void arm(Millis delay);
  Async<void> look();
  Async<void> agents(Outcome& outcome);
  void put_in_force(Setup fresh, Outcome& outcome);
  void watch_folders();

  World world_;
  Setup& setup_;
  const cli::Serve& command_;
  const Doorkeeper doorkeeper_;
  Fleet& fleet_;
  Watch& alerts_;
  const Roster& roster_;
  const Log& log_;
  FolderWatch watch_;
  Turns turns_;
  Timers::Id timer_ = 0;
  Millis armed_for_{0}, again_in_ = kFirstPause;
  std::vector<manifest::Problem> told_;
  bool config_is_current_ = true, agents_are_current_ = true;
  std::stop_source stopping_;
};

}  // namespace agentd::host
