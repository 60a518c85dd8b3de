// Which agents are paused or stopped. Kept in the ledger, so that a restart changes nothing of it.
#pragma once
#include <map>
#include <string>

#include "core/event/record.hpp"
#include "core/port/ledger.hpp"
#include "host/members.hpp"

namespace agentd::host {

// The engine thread only; one change at a time.
class Modes {
 public:
  static constexpr const char* kAgent = "@modes";  // whose state it is: no manifest's
  struct Kept {
    Mode mode = Mode::active;
    Instant since{};
    bool by_itself = false;      // retry.pause_after_failures, not a person
    std::string by, reason;
    std::int64_t errors = 0;     // AgentStats::error_count when it was resumed: those failures count no more
  };
  explicit Modes(port::Ledger& ledger) : ledger_(ledger) {}

  // Before any agent is taken.
  Async<Result<void>> load();

  const Kept* find(const std::string& agent_id) const;  // null: active, as nobody ever said otherwise
  Mode mode(const std::string& agent_id) const;
  const std::map<std::string, Kept>& all() const { return kept_; }

  // With its record, as one. After an error it may be asked again: what is so already may be said twice.
  Async<port::LedgerResult<void>> set(std::string agent_id, Kept to, event::AgentChanged change);
  // Active, as nobody ever said otherwise; errors: its AgentStats::error_count where those count no more, else 0.
  Async<port::LedgerResult<void>> begin_anew(std::string agent_id, std::int64_t errors);

 private:
  using All = std::map<std::string, Kept>;
  static std::string to_json(const All& all);
  Async<port::LedgerResult<void>> keep(All after, std::vector<port::Record> records);

  port::Ledger& ledger_;
  All kept_;
};

}  // namespace agentd::host
