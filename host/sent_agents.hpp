// The agents that came through the API: their manifests, kept in the ledger, so that a restart and a backup have them.
#pragma once
#include <array>
#include <map>
#include <optional>
#include <string>

#include "core/event/record.hpp"
#include "core/port/ledger.hpp"

namespace agentd::host {

// The engine thread only; one change at a time.
class SentAgents {
 public:
  static constexpr std::size_t kMost = 10'000;
  static constexpr std::size_t kLargest = 256 << 10;      // bytes of one manifest
  static constexpr std::size_t kMostBytes = 64 << 20;     // of all of them: a change writes a sixteenth anew
  struct Kept {
    std::string document;  // the manifest, JSON
    std::string key;       // Idempotency-Key that it was created with; may be empty
    std::string first;     // content_hash of the document that it was created with
    bool is_leaving = false;  // deleted; what it had asked for is being ended
  };
  // is_shared: other processes may write it as well.
  explicit SentAgents(port::Ledger& ledger, bool is_shared = false) : ledger_(ledger), is_shared_(is_shared) {}

  // Before any agent is taken.
  Async<Result<void>> load();

  const std::map<std::string, Kept>& all() const { return kept_; }
  const Kept* find(const std::string& agent_id) const;
  // Why there is no room for this document in place of what is kept of the agent; empty: there is.
  std::string no_room(const std::string& agent_id, const std::string& document) const;

  // With its record, as one. Nothing kept: it is gone. After an unknown outcome, what is kept is read again.
  Async<port::LedgerResult<void>> put(std::string agent_id, std::optional<Kept> kept, std::optional<event::AgentChanged> change);

 private:
  using All = std::map<std::string, Kept>;
  Async<Result<void>> load(std::size_t part);

  port::Ledger& ledger_;
  const bool is_shared_;
  All kept_;
};

}  // namespace agentd::host
