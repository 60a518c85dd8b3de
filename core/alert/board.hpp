// What is not as it should be now. Rules say what they see as often as they like; each thing is raised once and cleared once, also
// across the death of the host that raised it.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/async.hpp"
#include "core/event/record.hpp"
#include "core/port/ledger.hpp"

namespace agentd::alert {

// Names an alert: at most one of a name is raised.
struct Name {
  std::string rule;      // "silent", "failures", ...
  std::string agent_id;  // empty: the host's
  std::string subject;   // what of it; may be empty
  friend auto operator<=>(const Name&, const Name&) = default;
};

struct Alert {
  std::string severity;  // info, warning, critical
  std::string summary;   // a sentence
  std::vector<std::string> sinks;
  std::optional<event::Exhausted> budget = {};
};

struct Firing {
  Name name;
  Alert alert;
  Instant since{};
};

// The engine thread only. Its records and what is firing are kept as one, under an agent that no manifest can have.
class Board {
 public:
  static constexpr const char* kAgent = "@alerts";
  static constexpr std::size_t kMostFiring = 1'000;  // further ones are raised when others are cleared

  Board(World world, port::Ledger& ledger, std::function<void(const std::string&)> warn) : world_(world), ledger_(ledger), warn_(std::move(warn)) {}

  // What earlier hosts have raised. Before anything else.
  Async<Result<void>> load();

  // Where a ledger is shared one replica's board writes, under a lease, and the others' rest: they raise and clear nothing, and go by
  // what they see that is recorded. It writes from the beginning, until it is told otherwise.
  Async<Result<void>> write_under(port::Fence fence);
  void rest() { resting_ = true; }
  void see(const port::StoredRecord& record, const event::Body& body);

  // False where there is no room: say it again later.
  bool raise(Name name, Alert alert);
  void clear(const Name& name);

  // That are durable, the oldest first.
  std::vector<Firing> firing() const;
  bool is_firing(const Name& name) const { return firing_.contains(name); }
  bool is_written() const { return wanted_.empty(); }  // nothing is on its way

  // Nothing is written any more when it returns.
  Async<void> stop();

 private:
  struct Kept {
    Alert alert;
    Instant since{};
  };
  using All = std::map<Name, Kept>;
  bool changes(const Name& name, bool is_wanted) const;
  void want(Name name, std::optional<Alert> alert);
  Async<void> write();
  port::Transition next(All& after) const;
  static std::string to_json(const All& firing);

  const World world_;
  port::Ledger& ledger_;
  const std::function<void(const std::string&)> warn_;
  All firing_;
  std::map<Name, std::optional<Alert>> wanted_;  // not durable yet; nothing: cleared
  bool writing_ = false, resting_ = false;
  port::Fence fence_;
  std::stop_source stopping_;
};

}  // namespace agentd::alert
