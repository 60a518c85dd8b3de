// One group: every write and claim that arrived while the one before was on its way, as one transaction with one answer.
//
// A group begins by locking the one row of `head`, so it decides upon all that was written before it, by whomever, and no two decide at
// once: positions have no gaps, a key is taken once, a limit holds, a claim is one worker's, and who has lost a run hears so. It ends
// by moving that row. In between are two round trips: what is to be known, and what changes.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "ledger_follower.hpp"
#include "ledger_tables.hpp"
#include "lease.hpp"
#include "link.hpp"
#include "stores/ledger/group.hpp"

namespace agentd::postgres {

// Whether a group happened is not known: the answer to its COMMIT was lost.
struct Undetermined : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The groups thread only: one at a time. The mutex is the mirror's.
class LedgerWriter {
 public:
  LedgerWriter(Place place, Mirror& mirror, std::mutex& mutex, Lease& lease, ServerClock& clock, const sdk::Host& host, Follower::Tell tell);

  // Brings the tables up to date and reads all that lives, and what the server's clock says. Throws PgError and sdk::Error.
  Group open();
  const std::string& epoch() const { return epoch_; }

  struct Ask {
    agentd_op op = 0;
    std::int64_t now = 0;
    std::size_t n = 0;
  };
  struct Given {
    agentd_op op = 0;
    Mirror::Claims claims;
  };
  struct LeaseAsk {
    agentd_op op = 0;
    std::vector<std::string> names;
  };
  struct LeasesGiven {
    agentd_op op = 0;
    std::vector<std::int64_t> generations;  // 0: another's
  };
  struct Wrote {
    Group group;
    std::vector<Given> given;
    std::vector<LeasesGiven> leases;
  };
  // What others wrote meanwhile is told before. Throws PgError: then nothing of the group has happened, here or there; and Undetermined:
  // then nothing else is written before `determine` has found out.
  Wrote write(std::vector<Write> writes, const std::vector<Ask>& asks, const std::vector<LeaseAsk>& leases);
  // Throws PgError: it has not happened; and Undetermined: that cannot be said yet.
  Wrote determine();
  // What was to be written, after a failure.
  std::vector<Write> take_back() { return std::exchange(kept_writes_, {}); }
  // Nobody waits for it any more: if it has happened, it is met as what others wrote is.
  void give_up();

  // Tells what others wrote, without a lock. True: a group is to be written, for somebody's lease is over or nobody knows of this worker.
  bool look();
  void probe();  // whether the disk has room again: throws while it has not
  void leave() noexcept;  // what this worker still holds is free
  std::int64_t last_position() const { return follower_.next_position() - 1; }

 private:
  struct Under {  // the group at hand
    std::vector<Write> writes;
    std::vector<Write> fenced_off;  // of them, those whose lease is another's
    Wrote wrote;
    Tables::Group row;
    GroupWriter::Next next;
    std::chrono::nanoseconds began{0};
    bool joins = false, extends = false;
  };
  // Of every lease that was ever taken, the latest holder.
  struct Held {
    std::int64_t worker = 0, generation = 0;
    bool lives = false;  // the holder does
  };
  using Leases = std::map<std::string, Held>;
  void decide(const Head& head, const std::vector<Worker>& workers, const std::vector<Ask>& asks, Leases leases, const std::vector<LeaseAsk>& lease_asks);
  void give(const Ask& ask);
  void take_leases(const LeaseAsk& ask, Leases& leases);
  void fence_off(const Leases& leases);
  Wrote keep();
  void undo() noexcept;

  Link link_;
  Mirror& mirror_;
  std::mutex& mutex_;
  Lease& lease_;
  ServerClock& clock_;
  const sdk::Host& host_;
  const Follower::Tell tell_;
  Tables tables_;
  GroupWriter groups_;
  Follower follower_;
  std::string epoch_;
  std::unique_ptr<Under> under_;
  std::vector<Write> kept_writes_;  // of the latest group, and what it was made to write beside
};

}  // namespace agentd::postgres
