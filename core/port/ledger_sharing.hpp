// A ledger that several processes share: who they are, who of them does what only one may do, and whether a claim is still one's own.
#pragma once
#include "core/port/ledger.hpp"

namespace agentd::port {

// A process that has joined, from its start until it leaves or its lease is over.
struct WorkerSession {
  std::string id;
  std::string host, version;
  std::int64_t process = 0;
  Instant since{};
  Millis lease_age{};               // since it last said that it lives, by the ledger's clock
  Millis clock_ahead{};             // of the ledger's clock, as it last said
  bool clock_is_off = false;        // by more than the ledger allows
  bool is_this = false;
  std::vector<std::string> leases;  // that it holds, by name
};

// Of a claim that this process was given, whether it is still its own. unsure: it has not said for too long that it lives, so the claim
// may be another's already, or stay.
enum class ClaimState { held, unsure, lost };

// The engine thread only.
class LedgerSharing {
 public:
  // How long after it was asked for what lease() gave may be acted on; the ledger gives it to nobody else for longer than that.
  static constexpr Millis kTrustedFor{10'000};

  virtual ~LedgerSharing() = default;

  // False: no other process ever has this ledger open, so every lease is this one's, and nobody need ask.
  virtual bool is_shared() const = 0;
  // Takes each of these that nobody alive holds. Of each, in order, the generation with which this process holds it, larger than every
  // earlier one of that name; 0: it is another's. Asking again while it is held changes nothing. It ends with the process.
  virtual Async<LedgerResult<std::vector<std::uint64_t>>> lease(std::vector<std::string> names) = 0;
  // From memory: nobody is asked. Nothing is begun for a run whose claim is not held.
  virtual ClaimState claim_state(RunId run, std::uint64_t generation) const = 0;
  // From memory, too: whether this machine's clock is the ledger's. While it is not, nothing is taken in and nothing is given here.
  virtual bool clocks_agree() const = 0;
  virtual Async<LedgerResult<std::vector<WorkerSession>>> sessions() = 0;  // the oldest first; none where nothing is shared
};

}  // namespace agentd::port
