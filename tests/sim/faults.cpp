#include "tests/sim/faults.hpp"

#include <iomanip>
#include <iostream>
#include <sstream>

#include "core/event/record.hpp"

namespace agentd::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::array<const char*, kFaults> kFaultNames = {"death before a write",
                                                          "death within a write",
                                                          "death behind a write",
                                                          "death while waiting",
                                                          "power loss",
                                                          "power loss, torn",
                                                          "fsync fails",
                                                          "I/O error",
                                                          "disk full",
                                                          "file locked",
                                                          "drain",
                                                          "clock forward",
                                                          "clock back",
                                                          "suspend",
                                                          "model fails",
                                                          "model hangs",
                                                          "model down",
                                                          "model babbles",
                                                          "tool fails",
                                                          "tool hangs",
                                                          "tool unknown",
                                                          "memory fails",
                                                          "copy fails",
                                                          "sink fails"};
constexpr std::array<const char*, kColumns> kColumnNames = {
    "Entered",   "Started",  "Answered", "ToolFin", "CallFail", "Waiting", "Released", "Ended", "Decided", "Gated",
    "HostStart", "HostStop", "AgentChg", "Raised",  "Reviewed", "Told",    "NotTold",  "specs", "cursors"};

// Written seldom, so that there is no second chance soon: in few operations.
bool is_rare(Column column) {
  return column == Column::call_failed || column == Column::released || column == Column::decided || column == Column::gated ||
         column == Column::host_started || column == Column::host_stopped || column == Column::agent_changed ||
         column == Column::budget_raised || column == Column::reviewed || column == Column::undelivered || column == Column::specs;
}

// One in so many of a step's writes is struck while a fault is armed: about as often as the step is commoner than the rare ones.
std::uint64_t one_in(Column column) {
  switch (column) {
    case Column::entered:
    case Column::started:
    case Column::answered:
    case Column::tool_finished:
    case Column::ended:
    case Column::cursors:
      return 24;
    case Column::delivered:
      return 12;
    case Column::waiting:
      return 8;
    case Column::call_failed:
      return 4;
    default:
      return is_rare(column) ? 1 : 24;
  }
}

constexpr const char* kOfModels = "a model is at work while its answer is what comes next";
constexpr const char* kOfTools = "a tool is at work while the end of its call is what comes next";
constexpr const char* kOfMemory = "a memory store is asked before a run starts and before it ends";
constexpr const char* kOfSinks = "a sink is at work while what comes next is whether it was told";
constexpr const char* kOfCopies = "a store of events is at work while its cursor is what comes next";
constexpr const char* kDrained = "it is written by a drain, which is asked for once";
constexpr const char* kNotWaiting = "nothing outside is waited for before it is written";

}  // namespace

const char* name(Fault fault) { return kFaultNames[static_cast<std::size_t>(fault)]; }
const char* name(Column column) { return kColumnNames[static_cast<std::size_t>(column)]; }

Column column_of(std::int32_t kind) {
  switch (kind) {
    case event::Entered::kKind:
      return Column::entered;
    case event::Started::kKind:
      return Column::started;
    case event::Answered::kKind:
      return Column::answered;
    case event::ToolFinished::kKind:
      return Column::tool_finished;
    case event::CallFailed::kKind:
      return Column::call_failed;
    case event::Waiting::kKind:
      return Column::waiting;
    case event::Released::kKind:
      return Column::released;
    case event::Ended::kKind:
      return Column::ended;
    case event::Decided::kKind:
      return Column::decided;
    case event::Gated::kKind:
      return Column::gated;
    case event::BudgetRaised::kKind:
      return Column::budget_raised;
    case event::Reviewed::kKind:
      return Column::reviewed;
    case event::Delivered::kKind:
      return Column::delivered;
    case event::Undelivered::kKind:
      return Column::undelivered;
    case event::HostStarted::kKind:
      return Column::host_started;
    case event::HostStopped::kKind:
      return Column::host_stopped;
    default:
      return Column::agent_changed;
  }
}

const char* impossible(Fault fault, Column column) {
  switch (fault) {
    case Fault::model_fails:
    case Fault::model_hangs:
    case Fault::model_down:
    case Fault::model_babbles:
      return column == Column::answered ? nullptr : kOfModels;
    case Fault::tool_fails:
    case Fault::tool_hangs:
    case Fault::tool_unknown:
      return column == Column::tool_finished ? nullptr : kOfTools;
    case Fault::memory_fails:
      return column == Column::started || column == Column::ended ? nullptr : kOfMemory;
    case Fault::copy_fails:
      return column == Column::cursors ? nullptr : kOfCopies;
    case Fault::sink_fails:
      return column == Column::undelivered ? nullptr : kOfSinks;
    case Fault::drain:
      return column == Column::released || column == Column::host_stopped ? kDrained : nullptr;
    case Fault::death_waiting: {
      const bool waits = column == Column::started || column == Column::answered || column == Column::tool_finished ||
                         column == Column::ended || column == Column::delivered || column == Column::cursors;
      return waits ? nullptr : kNotWaiting;
    }
    default:
      return nullptr;
  }
}

// ---- the table

void Coverage::add(const Coverage& other) {
  for (std::size_t f = 0; f < kFaults; ++f)
    for (std::size_t c = 0; c < kColumns; ++c) cells_[f][c] += other.cells_[f][c];
}

std::uint64_t Coverage::of(Fault fault) const {
  std::uint64_t sum = 0;
  for (const auto cell : cells_[static_cast<std::size_t>(fault)]) sum += cell;
  return sum;
}

void Coverage::print(std::ostream& out) const {
  out << std::left << std::setw(22) << "fault struck while" << std::right;
  for (const auto* column : kColumnNames) out << std::setw(10) << column;
  out << '\n';
  std::set<std::string> reasons;
  for (std::size_t f = 0; f < kFaults; ++f) {
    out << std::left << std::setw(22) << kFaultNames[f] << std::right;
    for (std::size_t c = 0; c < kColumns; ++c) {
      const auto* why = impossible(static_cast<Fault>(f), static_cast<Column>(c));
      if (why) reasons.insert(why);
      if (why && !cells_[f][c])
        out << std::setw(10) << '-';
      else
        out << std::setw(10) << cells_[f][c];
    }
    out << '\n';
  }
  out << "-: cannot be:\n";
  for (const auto& reason : reasons) out << "   " << reason << '\n';
}

std::vector<std::string> Coverage::missing(std::uint64_t least) const {
  std::vector<std::string> all;
  for (std::size_t f = 0; f < kFaults; ++f)
    for (std::size_t c = 0; c < kColumns; ++c) {
      const auto fault = static_cast<Fault>(f);
      const auto column = static_cast<Column>(c);
      const auto* why = impossible(fault, column);
      const auto where =
          std::string(name(fault)) + " while " + name(column) + " was under way: " + std::to_string(cells_[f][c]) + " times";
      if (!why && cells_[f][c] < least) all.push_back(where);
      if (why && cells_[f][c]) all.push_back(where + ", and yet: " + why);
    }
  return all;
}

std::string Coverage::to_text() const {
  std::ostringstream out;
  for (const auto& row : cells_)
    for (const auto cell : row) out << cell << ' ';
  return out.str();
}

void Coverage::add_text(std::istream& in) {
  for (auto& row : cells_)
    for (auto& cell : row) {
      std::uint64_t more = 0;
      in >> more;
      cell += more;
    }
}

// ---- aiming

Faults::Faults(Dice dice, Disk& disk, Machine& machine, Coverage& coverage)
    : dice_(dice), disk_(disk), machine_(machine), coverage_(coverage) {
  disk_.before = [this](Disk::Operation operation) { return at_operation(operation); };
}

Faults::~Faults() { disk_.before = nullptr; }

void Faults::arm() {
  aim_.reset();
  watching_ = false;
  armed_ = true;
}

void Faults::aim(Column column) {
  Aim aim{.column = column, .nth = 1 + static_cast<int>(dice_.below(is_rare(column) ? 4 : 12))};
  do {
    aim.fault = static_cast<Fault>(dice_.below(kFaults));
  } while (impossible(aim.fault, column));
  aim_ = aim;
  armed_ = watching_ = false;
}

void Faults::draw(const std::multiset<Column>& under_way) {
  for (auto column = under_way.begin(); column != under_way.end(); column = under_way.upper_bound(*column))
    if (dice_.below(one_in(*column)) == 0) return aim(*column);
}

void Faults::cease() {
  aim_.reset();
  armed_ = watching_ = false;
  disk_.full = disk_.locked = false;
}

void Faults::write_begins(const std::multiset<Column>& under_way) {
  if (armed_) draw(under_way);
  if (!aim_ || !under_way.contains(aim_->column)) return;
  switch (aim_->fault) {
    case Fault::death_before:
    case Fault::locked:
    case Fault::drain:
    case Fault::clock_forward:
    case Fault::clock_back:
    case Fault::suspend:
      return strike(under_way);
    case Fault::death_within:
    case Fault::power_loss:
    case Fault::power_loss_torn:
    case Fault::sync_fails:
    case Fault::io_error:
    case Fault::disk_full:
      within_ = under_way;
      operations_ = 0;
      watching_ = true;
      return;
    default:
      return;
  }
}

int Faults::at_operation(Disk::Operation operation) {
  if (!watching_ || ++operations_ < aim_->nth) return SQLITE_OK;
  const bool refusal = aim_->fault == Fault::io_error || aim_->fault == Fault::disk_full;
  if (aim_->fault == Fault::sync_fails && operation != Disk::Operation::sync) return SQLITE_OK;  // the next sync
  if (refusal && operation != Disk::Operation::write) return SQLITE_OK;                          // the next write, then
  const auto fault = aim_->fault;
  strike(within_);
  return fault == Fault::disk_full ? SQLITE_FULL : SQLITE_IOERR;
}

bool Faults::write_is_durable(const std::multiset<Column>& under_way) {
  if (!aim_ || aim_->fault != Fault::death_behind || !under_way.contains(aim_->column)) return false;
  strike(under_way);
  return true;
}

// It took fewer operations than that.
void Faults::write_ended() {
  if (!std::exchange(watching_, false)) return;
  aim_->nth = std::max(1, aim_->nth / 2);
}

void Faults::waiting(Column column) {
  if (!aim_ || aim_->fault != Fault::death_waiting || aim_->column != column) return;
  strike({column});
}

bool Faults::outside(Fault fault, Column column) {
  if (!aim_ || aim_->fault != fault || aim_->column != column) return false;
  strike({column});
  return true;
}

void Faults::strike(const std::multiset<Column>& columns) {
  const auto fault = aim_->fault;
  machine_.note(std::string(name(fault)) + " while " + name(aim_->column) + " is under way");
  aim_.reset();
  watching_ = false;
  ++struck_;
  for (auto column = columns.begin(); column != columns.end(); column = columns.upper_bound(*column))
    if (!impossible(fault, *column)) coverage_.add(fault, *column);
  switch (fault) {
    case Fault::death_before:
    case Fault::death_within:
    case Fault::death_behind:
    case Fault::death_waiting:
      return machine_.kill(Disk::Loss::nothing);
    case Fault::power_loss:
      return machine_.kill(Disk::Loss::unsynced);
    case Fault::power_loss_torn:
      return machine_.kill(Disk::Loss::unsynced_but_the_last);
    case Fault::sync_fails:
      return machine_.kill(dice_.of({Disk::Loss::nothing, Disk::Loss::unsynced, Disk::Loss::unsynced_but_the_last}));
    case Fault::disk_full:
      disk_.full = true;
      return machine_.later(dice_.between(milliseconds(100), seconds(40)), [this] { disk_.full = false; });
    case Fault::locked:
      disk_.locked = true;
      return machine_.later(dice_.between(milliseconds(50), seconds(8)), [this] { disk_.locked = false; });
    case Fault::drain:
      return machine_.drain();
    case Fault::clock_forward:
      return machine_.set_clock(dice_.between(seconds(1), dice_.percent(50) ? minutes(3) : minutes(90)));
    case Fault::clock_back:
      return machine_.set_clock(-dice_.between(seconds(1), dice_.percent(50) ? minutes(3) : minutes(90)));
    case Fault::suspend:
      return machine_.suspend(dice_.between(seconds(1), dice_.percent(50) ? minutes(3) : minutes(60)));
    default:
      return;
  }
}

}  // namespace agentd::sim
