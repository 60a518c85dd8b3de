// What the SQLite stores promise beyond what every store does: their files.
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include <fstream>

#include "tests/conformance/faulty_vfs.hpp"
#include "tests/conformance/ledger_fixture.hpp"

namespace agentd::conformance {
namespace {

class SqliteLedger : public testing::Test {
 protected:
  SqliteLedger() { arm({}); }
  ~SqliteLedger() override { arm({}); }
  std::unique_ptr<OpenLedger> open() {
    auto ledger = std::make_unique<OpenLedger>(embedded_ledger_kinds()[0], folder_.path());
    if (*ledger) (*ledger)->serve("a", true);
    return ledger;
  }
  void by_hand(const char* sql) {
    sqlite3* db = nullptr;
    sqlite3_open((folder_.path() / "ledger.db").c_str(), &db);
    EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    sqlite3_close(db);
  }
  template <class T>
  static std::string corrupt(const LedgerResult<T>& result) {
    return !result && result.error().fault == LedgerFault::corrupt ? result.error().message : "not found corrupt";
  }
  Folder folder_;
};

TEST_F(SqliteLedger, RefusesASchemaThatIsNewerThanItself) {
  open();
  by_hand("UPDATE meta SET value=5 WHERE key='schema'");
  const auto ledger = open();
  ASSERT_FALSE(*ledger);
  EXPECT_NE(ledger->error().find((folder_.path() / "ledger.db").string() + " has schema 5, and this agentd knows up to 4"), std::string::npos) << ledger->error();
}

TEST_F(SqliteLedger, SaysWhichFileHasASchemaThatNobodyWrote) {
  open();
  by_hand("UPDATE meta SET value=1 WHERE key='schema'");
  const auto ledger = open();
  ASSERT_FALSE(*ledger);
  EXPECT_NE(ledger->error().find((folder_.path() / "ledger.db").string() + " has a schema that no released agentd wrote; move it away"), std::string::npos) << ledger->error();
}

TEST_F(SqliteLedger, BringsTheSchemaBeforeItUpToDate) {
  const auto run = open()->enter("a");
  by_hand("DROP TABLE accounts; DROP TABLE holds; UPDATE meta SET value=2 WHERE key='schema'");
  const auto ledger = open();
  ASSERT_TRUE(*ledger) << ledger->error();
  auto& l = *ledger;
  const auto claim = l.claim_one();
  EXPECT_EQ(claim.run, run);
  auto t = l.step(claim);
  t.holds = {{"host", 1, 1, {5, 5}, {5, 5}}};
  l.commit(std::move(t));
  EXPECT_EQ(l->account("host", 1).held, (Spend{5, 5}));
}

TEST_F(SqliteLedger, RefusesAFileThatIsNoDatabase) {
  std::filesystem::create_directories(folder_.path());
  std::ofstream(folder_.path() / "ledger.db") << std::string(8192, 'x');
  const auto ledger = open();
  ASSERT_FALSE(*ledger);
  EXPECT_NE(ledger->error().find("ledger.db"), std::string::npos) << ledger->error();
}

TEST_F(SqliteLedger, RefusesAFileThatWasEmptied) {
  {
    const auto l = open();
    l->enter("a");
    l->claim_one();
  }
  for (const char* what : {"emptied", "opened again", "removed"}) {
    if (what == std::string("emptied")) std::filesystem::resize_file(folder_.path() / "ledger.db", 0);
    if (what == std::string("removed")) std::filesystem::remove(folder_.path() / "ledger.db");
    const auto l = open();
    ASSERT_FALSE(*l) << what;
    EXPECT_NE(l->error().find("ledger.db is empty, though ledger.db.claims beside it has runs"), std::string::npos) << l->error();
  }
  std::filesystem::remove(folder_.path() / "ledger.db.claims");
  EXPECT_TRUE(*open());
}

TEST_F(SqliteLedger, MayBeBegunAgainAfterADeathBeforeItsFirstTable) {
  open()->enter("a");  // .claims has no mark
  std::filesystem::resize_file(folder_.path() / "ledger.db", 0);
  EXPECT_TRUE(*open());
}

TEST_F(SqliteLedger, EndsTheProcessWhenItsFilesAreTakenAway) {
  const auto l = open();
  l->world().advance(Millis(5000));
  l->enter("a");
  const auto away = [&](const char* name) {
    std::filesystem::rename(folder_.path() / name, folder_.path() / "away");
    l->world().advance(Millis(1500));
  };
  for (const char* name : {"ledger.db", "ledger.db.lock"}) {
    EXPECT_EXIT(away(name), testing::ExitedWithCode(1), "") << name;
    std::filesystem::rename(folder_.path() / "away", folder_.path() / name);
    std::ofstream(folder_.path() / "another") << "x";
    const auto replace = [&] {
      std::filesystem::rename(folder_.path() / "another", folder_.path() / name);
      l->world().advance(Millis(1500));
    };
    if (name != std::string("ledger.db")) EXPECT_EXIT(replace(), testing::ExitedWithCode(1), "") << name;
  }
}

TEST_F(SqliteLedger, ADamagedRecordIsMissedByItsRunAlone) {
  RunId run, other;
  {
    const auto l = open();
    run = l->enter("a");
    l->commit(l->step(l->claim_one(), "\"one\""));
    other = l->enter("a");
  }
  by_hand("UPDATE records SET payload='\"two\"' WHERE position=2");
  const auto l = open();
  EXPECT_NE(corrupt(l->run((*l)->load(run))).find("position 2 "), std::string::npos);
  EXPECT_EQ(l->get((*l)->load(other)).size(), 1u);
  for (int i = 0; i < 2; ++i) {
    const auto events = l->get((*l)->events_after(0, 2));
    ASSERT_EQ(events.size(), 2u) << "as many as were asked for";
    EXPECT_EQ(events[0].position, 1);
    EXPECT_EQ(events[1].position, 3);
    EXPECT_TRUE(l->get((*l)->events_after(3, 2)).empty());
    for (const auto& filter : {RunFilter{}, RunFilter{.agent_id = "a"}}) {
      const auto runs = l->get((*l)->list(filter));
      ASSERT_EQ(runs.size(), 2u);
      EXPECT_EQ(runs[1].run, run);
      EXPECT_EQ(runs[1].last, 2);
      EXPECT_EQ(runs[1].last_payload, "");
    }
  }
  EXPECT_EQ(l->log(), "ledger.db: position 2 is damaged: its checksum does not fit; lists and events go on without it\n");
}

TEST_F(SqliteLedger, GoesOnBehindManyDamagedRecords) {
  {
    const auto l = open();
    for (int i = 0; i < 600; ++i) l->commit({.records = {{1, "{}"}}});
    l->enter("a");
  }
  by_hand("UPDATE records SET payload='[]'");
  const auto l = open();
  const auto events = l->get((*l)->events_after(0, 10));
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].position, 601);
}

TEST_F(SqliteLedger, NeverClaimsARunWhoseRowIsDamaged) {
  {
    const auto l = open();
    l->enter("a");
    l->enter("a");
  }
  for (const char* damage : {"UPDATE runs SET payload='{}' WHERE id=1", "UPDATE runs SET due=due+1 WHERE id=1"}) {
    by_hand(damage);
    const auto l = open();
    EXPECT_NE(l->log().find("position 1 is damaged"), std::string::npos) << damage;
    EXPECT_EQ(l->claim_one().run.position, 2);
    const auto runs = l->get((*l)->list({}));
    ASSERT_EQ(runs.size(), 1u);
    EXPECT_EQ(runs[0].run.position, 2);
  }
}

TEST_F(SqliteLedger, AFullDiskIsToldAndEndsByItself) {
  const auto l = open();
  l->enter("a");
  const auto claim = l->claim_one();
  arm({Fault::Kind::stays_full, 1});
  const auto refused = l->run((*l)->commit(l->step(claim)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault, LedgerFault::disk_full);
  EXPECT_FALSE((*l)->accepts());
  EXPECT_EQ((*l)->last_position(), 1);

  l->world().advance(Millis(1500));  // one look, and it is still full
  EXPECT_FALSE((*l)->accepts());
  arm({});
  const int wakes = l->wakes();
  l->world().advance(Millis(1000));
  EXPECT_TRUE((*l)->accepts());
  EXPECT_EQ(l->wakes(), wakes + 1);
  EXPECT_EQ(l->commit(l->step(claim)), 2);
}

// Somebody else's connection to the ledger's file, as a backup has it.
class Intruder {
 public:
  explicit Intruder(const std::filesystem::path& file) {
    sqlite3_open(file.c_str(), &db_);
    run("BEGIN EXCLUSIVE");
  }
  ~Intruder() { sqlite3_close(db_); }
  void leave() { run("COMMIT"); }

 private:
  void run(const char* sql) { EXPECT_EQ(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db_); }
  sqlite3* db_ = nullptr;
};

TEST_F(SqliteLedger, WaitsForSomebodyElseWhoHasTheFile) {
  const auto l = open();
  l->enter("a");
  const auto claim = l->claim_one();
  Intruder intruder(folder_.path() / "ledger.db");
  l->world().after(Millis(1500), [&] { intruder.leave(); });
  std::vector<Async<LedgerResult<Position>>> both;
  both.push_back((*l)->commit(l->step(claim, "\"one\"")));
  both.push_back((*l)->commit(l->step(claim, "\"two\"")));
  const auto begin = l->world().tick();
  auto first = l->run(std::move(both[0]));
  EXPECT_EQ(first, 2);
  EXPECT_GE(l->world().tick() - begin, Millis(1500));
  EXPECT_EQ(l->run(std::move(both[1])), 3) << "in the order they came";
  EXPECT_EQ(l->log(), "");
}

TEST_F(SqliteLedger, TellsWhoWaitsTooLongForTheFileThatNothingHappened) {
  const auto l = open();
  l->enter("a");
  const auto claim = l->claim_one();
  Intruder intruder(folder_.path() / "ledger.db");
  const auto begin = l->world().tick();
  for (int i = 0; i < 3; ++i) {
    const auto refused = l->run((*l)->commit(l->step(claim)));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, LedgerFault::unavailable);
  }
  EXPECT_LE(l->world().tick() - begin, Millis(3000)) << "once it is known, nobody waits for it";
  EXPECT_TRUE((*l)->accepts());
  intruder.leave();
  EXPECT_EQ(l->commit(l->step(claim)), 2);
  l->commit(l->step(claim));
  const auto& log = l->log();
  const auto file = (folder_.path() / "ledger.db").string();
  EXPECT_EQ(log, file + ": another process has locked it; nothing is written until that is over\n" + file + ": it can be written again\n");
}

// What SQLite did, in steps of its machine.
class Steps {
 public:
  Steps() {
    count() = 0;
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(&watch));
  }
  ~Steps() { sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(&watch)); }
  template <class F>
  int of(F&& f) {
    const int before = count();
    f();
    return count() - before;
  }

 private:
  static int& count() {
    static int steps = 0;
    return steps;
  }
  static int watch(sqlite3* db, const char**, const void*) {
    const auto ended = [](unsigned, void*, void* statement, void*) {
      count() += sqlite3_stmt_status(static_cast<sqlite3_stmt*>(statement), SQLITE_STMTSTATUS_VM_STEP, 1);
      return 0;
    };
    return sqlite3_trace_v2(db, SQLITE_TRACE_PROFILE, ended, nullptr);
  }
};

TEST_F(SqliteLedger, AListCostsWhatItGivesAndNotWhatThereIs) {
  struct Cost {
    int newest, next_page, by_key, by_status, of_all_by_status;
    bool operator==(const Cost&) const = default;
  };
  Steps steps;
  const auto cost = [&](int history) {
    const Folder folder;
    auto l = std::make_unique<OpenLedger>(embedded_ledger_kinds()[0], folder.path());
    std::vector<Entry> entries;
    for (int i = 0; i < history; ++i) {
      auto e = l->entry(i % 3 ? "a" : "b", i % 2 ? "a@" + std::to_string(100'000 + i) : "");
      e.status = RunStatus::missed;
      entries.push_back(std::move(e));
    }
    l->get((*l)->enqueue(std::move(entries)));
    const auto of = [&](RunFilter filter) {
      return steps.of([&] { l->get((*l)->list(filter)); });
    };
    const auto page = l->get((*l)->list({.agent_id = "a", .limit = 20}));
    return Cost{of({.agent_id = "a", .limit = 20}), of({"a", {}, page.back().run.position, 20}), of({.agent_id = "a", .limit = 1, .key_from = "a@", .key_before = "aA"}),
                of({"a", RunStatus::failed}), of({"", RunStatus::failed})};
  };
  const auto small = cost(16'000), large = cost(32'000);
  EXPECT_GT(small.newest, 20);
  EXPECT_LT(small.newest, 3'000);
  EXPECT_LT(small.by_key, 300);
  EXPECT_EQ(small.newest, large.newest);
  EXPECT_EQ(small.next_page, large.next_page);
  EXPECT_EQ(small.by_key, large.by_key);
  EXPECT_EQ(small.by_status, large.by_status);
  EXPECT_EQ(small.of_all_by_status, large.of_all_by_status);
}

TEST_F(SqliteLedger, AFailedSyncEndsTheProcess) {
  EXPECT_EXIT(
      {
        const auto l = open();
        for (int n = 1; n < 60; ++n) {
          arm({Fault::Kind::io_error, n});
          (void)l->run((*l)->enqueue({l->entry("a")}));
        }
      },
      testing::KilledBySignal(SIGABRT), "ledger.db: fsync failed");
}

TEST_F(SqliteLedger, MakesItsFolderForItsOwnerAlone) {
  auto kind = embedded_ledger_kinds()[0];
  const auto inner = folder_.path() / "state";
  OpenLedger ledger(kind, inner);
  ASSERT_TRUE(ledger) << ledger.error();
  EXPECT_EQ(std::filesystem::status(inner).permissions(), std::filesystem::perms::owner_all);
}

TEST_F(SqliteLedger, TheLogBesideTheFileStaysBounded) {
  const auto l = open();
  std::uint64_t most = 0;
  for (int i = 0; i < 40; ++i) {
    Transition t;
    t.records = {{1, std::string(1 << 20, 'x')}};
    l->commit(t);
    most = std::max(most, (*l)->vitals().wal_bytes);
  }
  EXPECT_GT(most, 8u << 20);
  EXPECT_LT(most, 24u << 20);
}

}  // namespace
}  // namespace agentd::conformance
