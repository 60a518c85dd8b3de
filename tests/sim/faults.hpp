// What goes wrong, and the table of where it did: by the kind of the fault and the record that was under way when it struck.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "core/port/ledger.hpp"
#include "tests/sim/dice.hpp"
#include "tests/sim/disk.hpp"

namespace agentd::sim {

enum class Fault : std::uint8_t {
  // The process dies: when a write is asked for, in the middle of it, when it is durable and nobody knows yet, or while something
  // outside is at work.
  death_before,
  death_within,
  death_behind,
  death_waiting,
  power_loss,       // and what was not synced is gone
  power_loss_torn,  // but for a piece of the last write
  sync_fails,       // which ends the process; of what it was to make durable something may be there, or all
  io_error,
  disk_full,
  locked,  // somebody else has the file
  drain,
  clock_forward,
  clock_back,
  suspend,
  model_fails,
  model_hangs,
  model_down,  // refused for the account's sake
  model_babbles,
  tool_fails,
  tool_hangs,
  tool_unknown,
  memory_fails,
  copy_fails,
  sink_fails,
  count
};
enum class Column : std::uint8_t {
  entered,
  started,
  answered,
  tool_finished,
  call_failed,
  waiting,
  released,
  ended,
  decided,
  gated,
  host_started,
  host_stopped,
  agent_changed,
  budget_raised,
  reviewed,
  delivered,
  undelivered,
  specs,
  cursors,
  count
};
constexpr std::size_t kFaults = static_cast<std::size_t>(Fault::count), kColumns = static_cast<std::size_t>(Column::count);

const char* name(Fault fault);
const char* name(Column column);
Column column_of(std::int32_t record_kind);
// Why a fault cannot strike there; null: it can.
const char* impossible(Fault fault, Column column);

class Coverage {
 public:
  void add(Fault fault, Column column) { ++cells_[static_cast<std::size_t>(fault)][static_cast<std::size_t>(column)]; }
  void add(const Coverage& other);
  std::uint64_t at(Fault fault, Column column) const {
    return cells_[static_cast<std::size_t>(fault)][static_cast<std::size_t>(column)];
  }
  std::uint64_t of(Fault fault) const;
  void print(std::ostream& out) const;
  // Cells that can be hit and were not, so many times; cells that cannot and were.
  std::vector<std::string> missing(std::uint64_t least) const;
  std::string to_text() const;
  void add_text(std::istream& in);

 private:
  std::array<std::array<std::uint64_t, kColumns>, kFaults> cells_{};
};

// What a fault does to the process and its machine.
class Machine {
 public:
  virtual ~Machine() = default;
  virtual void kill(Disk::Loss loss) = 0;
  virtual void drain() = 0;
  virtual void set_clock(Millis by) = 0;
  virtual void suspend(Millis by) = 0;
  virtual void note(std::string what) = 0;                           // for the story of a seed
  virtual void later(Millis delay, std::function<void()> what) = 0;  // also when the process is gone by then
};

// One fault at a time, aimed at one cell of the table; it strikes when that comes by. Most are drawn when the step is there, so that
// no time of the world goes by for a step that does not come.
class Faults {
 public:
  Faults(Dice dice, Disk& disk, Machine& machine, Coverage& coverage);
  ~Faults();
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;

  void arm();               // for a step that comes by: a rare one soon, a common one now and then
  void aim(Column column);  // any fault at that one, which is about to come
  void cease();             // none any more, and what lasts ends
  bool is_ready() const { return armed_ || aim_; }
  std::size_t struck() const { return struck_; }

  // ---- from who is watched
  void write_begins(const std::multiset<Column>& under_way);      // a write of such records was asked for
  bool write_is_durable(const std::multiset<Column>& under_way);  // true: the process died before it heard
  void write_ended();
  void waiting(Column column);                                                 // something outside is at work
  bool outside(Fault fault, Column column);                                    // true: it is to go wrong now
  void happened(Fault fault, Column column) { coverage_.add(fault, column); }  // one that nobody aimed

 private:
  struct Aim {
    Fault fault;
    Column column;
    int nth;  // operation of the disk
  };
  void draw(const std::multiset<Column>& under_way);
  void strike(const std::multiset<Column>& columns);
  void strike_within(const std::multiset<Column>& columns);
  int at_operation(Disk::Operation operation);

  Dice dice_;
  Disk& disk_;
  Machine& machine_;
  Coverage& coverage_;
  std::optional<Aim> aim_;
  std::multiset<Column> within_;
  bool armed_ = false;
  bool watching_ = false;  // counts operations until the one that it strikes at
  int operations_ = 0;
  std::size_t struck_ = 0;
};

}  // namespace agentd::sim
