// A disk in memory, as SQLite's default file system, so that a ledger stands on it without knowing. What was written is there for
// the next process; what was synced is there after the power went.
#pragma once
#include <sqlite3.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace agentd::sim {

// One thread; one at a time.
class Disk {
 public:
  enum class Operation { write, truncate, sync, remove };
  enum class Loss { nothing, unsynced, unsynced_but_the_last };  // of the last write a piece may have come through

  Disk();
  ~Disk();
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  void format(std::uint64_t seed);  // empty, and nobody has a file open
  // The process that has files open ends: whatever it does to them from now on fails and changes nothing.
  void cut(Loss loss, std::uint64_t chance);
  bool is_cut() const { return cut_; }
  void boot() { cut_ = false; }                        // files that are opened from now on are another process's
  std::size_t size_of(std::string_view ending) const;  // in bytes, of all files that are named so

  std::function<int(Operation)>
      before;           // each operation of the process that runs; an SQLite code: that is its answer, and it is not done
  bool full = false;    // nothing can be written
  bool locked = false;  // somebody else is writing

 private:
  struct Shared;
  struct Content;
  struct Handle;
  struct Methods;
  int turn(Handle& file, Operation operation);
  int begin(Operation operation);

  sqlite3_vfs vfs_{};
  std::map<std::string, std::shared_ptr<Content>, std::less<>> files_;
  std::uint64_t process_ = 1;
  std::uint64_t random_ = 1;
  bool cut_ = false;
};

}  // namespace agentd::sim
