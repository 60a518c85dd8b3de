// A ledger that several processes share: who they are, and who of them does what only one may do. Beside port::Ledger, because nobody
// who runs agents has to do with it.
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
  bool is_this = false;
  std::vector<std::string> leases;  // that it holds, by name
};

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
  virtual Async<LedgerResult<std::vector<WorkerSession>>> sessions() = 0;  // the oldest first; none where nothing is shared
};

}  // namespace agentd::port
