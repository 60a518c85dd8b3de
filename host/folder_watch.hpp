// Tells what comes into folders: one inotify descriptor for all of them.
#pragma once
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "core/base/async.hpp"

namespace agentd::host {

// The engine thread only. A folder may be missing, be removed, and be replaced by another of its name: it is watched for.
// Outlives no story of its own: stop, and let the engine run, before it is destroyed.
class FolderWatch {
 public:
  // A file was closed after writing or moved in; an empty name: anything may have come, so look at the whole folder.
  using Tell = std::function<void(const std::string& folder, std::string_view name)>;
  // What inotify does not take, with what can be done: once for each cause.
  using Warn = std::function<void(const std::string& why)>;
  // A folder that inotify does not take is told with an empty name each `poll`. With removals: files that were removed or moved away are
  // told as well.
  FolderWatch(World world, Tell tell, Warn warn, Millis poll, bool with_removals = false);
  ~FolderWatch();
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;

  void open();  // once it is open, nothing more is to be done
  // From now on, once it is there. Its content so far is not told.
  void add(const std::string& folder);
  void stop();
  bool is_there(const std::string& folder) const;  // at the last look

 private:
  struct Place {  // where a path led when it was last looked at
    int watch = -1;
    std::uint64_t device = 0, inode = 0;
    std::optional<Tick> polled_at;  // inotify does not take it
    bool is_there() const { return watch >= 0 || polled_at; }
  };
  Async<void> listen();
  void take(int watch, std::uint32_t mask, std::string_view name);
  bool follow(const std::string& folder, Place& place);
  bool is_time_to_poll(Place& place);
  bool open_descriptor();
  void complain(const std::string& folder, int error);
  void let_go(Place& place);
  void look();
  void look_later();

  World world_;
  Tell tell_;
  Warn warn_;
  const Millis poll_;
  const std::uint32_t wanted_;
  boost::asio::posix::stream_descriptor descriptor_;
  std::map<std::string, Place> folders_;
  Timers::Id timer_ = 0;
  bool is_open_ = false;
  std::set<int> told_errors_;
};

}  // namespace agentd::host
