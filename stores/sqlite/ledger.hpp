// The ledger in one SQLite file: the component `sqlite` of agentd.ledger.
//
// Writes gather in arrivals_ while the writer is at work; when it is done, what has gathered is its next group. There is no timer: a
// lone write is a group of its own and waits for nothing. The writer is a job on the host's worker threads, so a simulation runs it inline.
#pragma once
#include <agentd/sdk/timer.hpp>
#include <agentd/sdk/work.hpp>

#include <memory>
#include <mutex>
#include <vector>

#include "file_place.hpp"
#include "ledger_backup.hpp"
#include "ledger_files.hpp"
#include "ledger_open.hpp"
#include "ledger_reads.hpp"
#include "ledger_writer.hpp"
#include "settings.hpp"
#include "stores/ledger/slots.hpp"
#include "stores/lock/file_lock.hpp"

namespace agentd::sqlite {

class Ledger {
 public:
  using Config = Settings;
  using Reads = LedgerReads;
  static constexpr bool concurrent = true;  // reads do not wait for the writer

  // Opens the file, or makes it; ends every earlier claim. Throws sdk::Error.
  Ledger(const Settings& config, const sdk::Host& host);
  ~Ledger();

  // ---- the slots. Any thread; none blocks
  void write(Write write);
  void claim(agentd_op op, std::int64_t now, std::size_t n);
  void abandon(const agentd_run_id& run, std::uint64_t generation);
  void serve(std::string_view agent, bool can);
  void backup(agentd_op op, std::string file);
  void read(agentd_op op, sdk::Callback<void(LedgerReads&)> read);  // on a worker

 private:
  struct Turn {
    std::vector<Write> writes;
    bool probe = false, copy = false;
  };
  bool next_turn(Turn& turn);
  void run_writer();
  void submit_writer();
  // False: somebody else has the file, and the writes are kept for when the timer asks for the writer again.
  bool commit(std::vector<Write>& writes);
  bool keep_for_later(std::vector<Write>& writes);
  void refuse(const std::vector<Write>& writes, std::int32_t fault, std::string_view why);
  void tell(const Group& group, double seconds) noexcept;
  void trouble(const char* what);
  void no_trouble();
  void bound_wal();
  void disk_is_full();
  void probe();
  void look_after_files();
  void go_on_with_backup();
  void end_backup(const char* why);

  LedgerHost host_;
  const std::filesystem::path file_;
  stores::FileLock lock_;
  ClaimMarks marks_;   // under the mirror's lock
  Db db_;
  const FilePlace lock_place_, file_place_;
  std::mutex mutex_;  // of the mirror
  std::uint64_t version_ = 0;  // of what was told of agents, under the mirror's lock
  Opened opened_;
  Mirror& mirror_;
  LedgerWriter writer_;
  LedgerReads reads_;

  std::mutex arrivals_mutex_;
  std::vector<Write> arrivals_;
  bool writing_ = false;       // a writer job is on its way or at work
  bool probe_wanted_ = false;  // the writer shall see whether the disk has room again
  struct Copying {
    agentd_op op = 0;
    std::string file;
    std::unique_ptr<Backup> backup;  // the writer's, from its first part on
  };
  std::optional<Copying> copying_;  // set where there is none; the writer takes it away
  // The writer's own:
  bool full_ = false;
  bool troubled_ = false;      // writes are refused for another reason, and the log knows
  int tries_ = 0;              // of the group at hand, while somebody else has the file
  sdk::Timer probe_timer_, try_timer_;
  sdk::Timer look_timer_;      // the host's loop
};

}  // namespace agentd::sqlite

template <>
struct agentd::sdk::detail::Kind<agentd::sqlite::Ledger>
    : agentd::ledger::KindOf<agentd::sqlite::Ledger, &agentd::sqlite::check_files, &agentd::sqlite::copy_files, &agentd::sqlite::restore_files> {};
