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
    auto ledger = std::make_unique<OpenLedger>(ledger_kinds()[0], folder_.path());
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
  by_hand("UPDATE meta SET value=2 WHERE key='schema'");
  const auto ledger = open();
  ASSERT_FALSE(*ledger);
  EXPECT_NE(ledger->error().find("ledger.db has schema 2, and this agentd knows up to 1"), std::string::npos) << ledger->error();
}

TEST_F(SqliteLedger, RefusesAFileThatIsNoDatabase) {
  std::filesystem::create_directories(folder_.path());
  std::ofstream(folder_.path() / "ledger.db") << std::string(8192, 'x');
  const auto ledger = open();
  ASSERT_FALSE(*ledger);
  EXPECT_NE(ledger->error().find("ledger.db"), std::string::npos) << ledger->error();
}

TEST_F(SqliteLedger, NamesThePositionOfADamagedRecord) {
  RunId run;
  {
    const auto l = open();
    run = l->enter("a");
    l->commit(l->step(l->claim_one(), "\"one\""));
  }
  by_hand("UPDATE records SET payload='\"two\"' WHERE position=2");
  const auto l = open();
  EXPECT_NE(corrupt(l->run((*l)->load(run))).find("position 2 "), std::string::npos);
  EXPECT_NE(corrupt(l->run((*l)->events_after(0, 10))).find("position 2 "), std::string::npos);
  EXPECT_NE(corrupt(l->run((*l)->list({}))).find("position 2 "), std::string::npos);
  EXPECT_TRUE(l->run((*l)->events_after(2, 10)));
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
    EXPECT_NE(corrupt(l->run((*l)->list({}))).find("position 1 "), std::string::npos);
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
  auto kind = ledger_kinds()[0];
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
