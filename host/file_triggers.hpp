// Runs that files start: those that come into a folder, and those that came while no host was there to see it.
//
// What a trigger has seen (name, size, time of change and inode of the files that are there) is the agent state of "AGENT/TRIGGER" in
// the ledger. It is as large as the folder, and it changes in the same transition that brings the runs in: whatever dies when, no
// file is lost and none runs twice. A mark in time would be smaller, but files that are moved in, and clocks that are set back,
// come from before it.
//
// Whether there is room for a run is decided here and not by the ledger, so that what is seen can be kept with it: files that the
// agent's queue has no room for have not been seen, and come again.
#pragma once
#include <map>
#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "core/port/cleaner.hpp"
#include "core/port/ledger.hpp"
#include "host/folder_watch.hpp"
#include "host/line.hpp"
#include "host/log.hpp"
#include "host/members.hpp"

namespace agentd::host {

// The engine thread only. Looking at folders blocks it, for some microseconds a file.
class FileTriggers {
 public:
  FileTriggers(World world, port::Ledger& ledger, const Members& members, const port::Cleaner& cleaner, const Log& log);
  ~FileTriggers();

  Async<void> start();
  // An agent that came or changed while the host runs, or whose mode did. Files that come while it is paused wait for it.
  Async<void> take(MemberRef member);
  void leave(const std::string& agent_id);
  void stop();

 private:
  static constexpr std::size_t kMostFiles = 50'000;  // of a folder
  static constexpr std::size_t kMostPaths = 1'000;   // of a run

  static constexpr Millis kLookForRoom{5'000};
  static constexpr Millis kLookForFewer{60'000};     // files, where there are too many: it costs a look at all
  static constexpr Millis kPoll{5'000};              // of folders that cannot be watched

  // The inode tells only of a file that somebody has just put there: it may be another one after a restart, where a file system makes
  // them up or a backup was restored. 0: not known.
  struct Version {
    std::int64_t size = 0, mtime_ns = 0, inode = 0;
    std::int64_t ctime_ns = 0;  // makes the key of its run another one; it is not kept, for it changes with a chmod
    bool is_like(const Version& other) const { return size == other.size && mtime_ns == other.mtime_ns; }
  };
  using Files = std::map<std::string, Version>;  // by name
  struct Watched {
    std::string agent_id, name;
    manifest::FileTrigger on;
    Files seen;                  // that runs were started for
    std::set<std::string> told;  // files that somebody has just finished
    Files unsure;                // found by looking: perhaps somebody is still writing
    bool look_at_all = true;
    Tick looked_at_all{};
    std::optional<Tick> since;  // something waits to be looked at
    Timers::Id timer = 0;
    bool at_work = false;
    bool waits_for_room = false;  // some of what was told, in the agent's queue; a record says so
    bool is_full = false;  // and the log knows
    bool is_gone = false;  // nobody wants it any more; it goes when nobody is at work with it
  };

  static std::vector<std::pair<std::string, manifest::FileTrigger>> wanted(const Member& member);
  Async<void> start_one(Watched& watched);
  void clear_away();
  void take(const std::string& folder, std::string_view name);
  void arm(Watched& watched);
  void look_in(Millis delay, Watched& watched);
  Async<void> look(Watched& watched);
  Files arrived(Watched& watched);
  std::vector<std::string> names_in(Watched& watched);
  struct Handover;
  Async<std::optional<Line>> line_before(MemberRef member);
  Handover hand_over(const Member& member, const Watched& watched, const Files& arrived, const Line& line) const;
  Async<bool> bring_in(MemberRef member, Watched& watched, const Files& arrived);
  enum class Place { first, behind, skipped, without_room };  // of some files among those that have come together
  port::Entry entry_of(const Member& member, const Watched& watched, const Files& some, Place place) const;

  World world_;
  port::Ledger& ledger_;
  const Members& members_;
  const port::Cleaner& cleaner_;
  const Log& log_;
  FolderWatch watch_;
  std::vector<std::unique_ptr<Watched>> watched_;
  std::stop_source stopping_;
};

}  // namespace agentd::host
