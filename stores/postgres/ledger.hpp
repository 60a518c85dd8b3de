// The ledger on a PostgreSQL server, shared by as many replicas as there are: the component `postgres` of agentd.ledger.
//
// Writes and claims gather in arrivals_ while the writer is at work; when it is done, what has gathered is its next group. There is no
// timer: a lone write is a group of its own. The writer is a job on the host's worker threads, which may wait for the server.
#pragma once
#include <agentd/sdk/callback.hpp>
#include <agentd/sdk/timer.hpp>
#include <agentd/sdk/work.hpp>

#include <atomic>
#include <mutex>
#include <vector>

#include "keeper.hpp"
#include "ledger_files.hpp"
#include "ledger_reads.hpp"
#include "ledger_writer.hpp"
#include "settings.hpp"
#include "stores/ledger/host.hpp"
#include "stores/ledger/slots.hpp"

namespace agentd::postgres {

class Ledger {
 public:
  using Config = Settings;
  using Reads = LedgerReads;
  static constexpr bool concurrent = true;  // reads do not wait for the writer

  // Connects, brings the tables up to date, and joins the workers. Throws sdk::Error.
  Ledger(const Settings& config, const sdk::Host& host);
  ~Ledger();

  // ---- the slots. Any thread; none blocks
  void write(Write write);
  void claim(agentd_op op, std::int64_t now, std::size_t n);
  void abandon(const agentd_run_id& run, std::uint64_t generation);
  void serve(std::string_view agent, bool can);
  void lease(agentd_op op, std::vector<std::string> names);
  bool clocks_agree(std::int64_t now);
  std::int32_t claim_state(const agentd_run_id& run, std::uint64_t generation);
  std::int64_t session() const { return lease_.worker(); }
  void backup(agentd_op op, const std::string& file);
  void read(agentd_op op, sdk::Callback<void(LedgerReads&)> read);  // on a worker

 private:
  using Ask = LedgerWriter::Ask;
  struct Turn {
    std::vector<Write> writes;
    std::vector<Ask> asks;
    std::vector<LedgerWriter::LeaseAsk> leases;
    bool look = false;
  };
  bool next_turn(Turn& turn);
  void submit();
  void look();  // asks for a turn, to hear what others did
  void take_turns();
  bool take(Turn& turn);  // false: what became of it is not known yet, and the timer asks for the writer again
  bool find_out();        // likewise
  bool try_later();
  void refuse_by_clock(std::vector<Write>& writes);
  void refuse(std::vector<Write> writes, const std::vector<Ask>& asks, std::int32_t fault, std::string_view why);
  void give_nothing(agentd_op op, std::int64_t next_due);
  void told(LedgerWriter::Wrote& wrote, double seconds);
  enum class Author { here, elsewhere };
  void tell(const Group& group, double seconds, Author author = Author::here) noexcept;
  void refuse(const std::vector<LedgerWriter::LeaseAsk>& leases, std::string_view why);
  void trouble(const std::string& what);
  void no_trouble();
  void disk_is_full();
  void probe();

  LedgerHost host_;
  const Place place_;
  const std::int64_t most_skew_ms_;
  Lease lease_;
  ServerClock clock_;
  std::mutex mutex_;  // of the mirror
  std::uint64_t version_ = 0;  // of what was told of agents, under the mirror's lock
  Mirror mirror_{0};
  LedgerWriter writer_;
  LedgerReads reads_;

  std::mutex arrivals_mutex_;
  Turn arrivals_;
  bool writing_ = false;  // a writer job is on its way or at work
  std::atomic<bool> full_ = false, troubled_ = false, skewed_ = false;  // and the log knows
  // The writer's own:
  bool is_open_ = false;  // a group may have happened or not
  std::chrono::nanoseconds open_since_{0};
  std::vector<Ask> asks_;      // of that group
  std::vector<Write> let_go_;  // nobody waits for these, and they must not be lost
  sdk::Timer try_timer_, probe_timer_;
  std::unique_ptr<Keeper> keeper_;
};

}  // namespace agentd::postgres

template <>
struct agentd::sdk::detail::Kind<agentd::postgres::Ledger>
    : agentd::ledger::KindOf<agentd::postgres::Ledger, &agentd::postgres::check_files, &agentd::postgres::copy_files, &agentd::postgres::restore_files> {};
