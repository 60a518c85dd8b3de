// Plugin files that come, change or go while the host runs.
#pragma once
#include <filesystem>
#include <functional>
#include <stop_token>
#include <vector>

#include "host/engine.hpp"
#include "host/fleet.hpp"
#include "host/folder_watch.hpp"

namespace agentd::host {

// The engine thread only. A new file is loaded; of one that is in use it is told that a restart is needed, and nothing else is done.
class PluginWatch {
 public:
  struct Ground {
    World world;
    const std::vector<std::filesystem::path>& folders;
    Ports& ports;
    Engine& engine;
    Fleet& fleet;
    const Log& log;
    std::function<void()> loaded;  // an agent that was refused may run now
  };
  explicit PluginWatch(Ground ground);

  void start();
  Async<void> stop();  // nothing is loaded any more when it returns

 private:
  static constexpr Millis kSettle{400}, kSettleAtMost{1'200};
  static constexpr Millis kPoll{2'000};

  void arm();
  Async<void> look();
  void tell_outdated();

  const Ground ground_;
  FolderWatch watch_;
  Timers::Id timer_ = 0;
  Tick unsettled_since_;  // while there is a timer
  int looking_ = 0;
  std::vector<plugin::Catalog::Outdated> told_;
  std::stop_source stopping_;
};

}  // namespace agentd::host
