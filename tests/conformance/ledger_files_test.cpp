// What is promised of a ledger's files without opening it.
#include <sqlite3.h>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "core/plugin/ledger_files.hpp"
#include "tests/conformance/faulty_names.hpp"
#include "tests/conformance/ledger_fixture.hpp"

namespace agentd::conformance {
namespace {

class LedgerFilesSuite : public testing::Test {
 protected:
  std::unique_ptr<OpenLedger> open() {
    auto ledger = std::make_unique<OpenLedger>(embedded_ledger_kinds()[0], folder_.path());
    if (!*ledger) throw std::runtime_error(ledger->error());
    (*ledger)->serve("a", true);
    return ledger;
  }
  std::unique_ptr<LedgerFiles> files() {
    const auto kind = embedded_ledger_kinds()[0];
    auto& library = library_of(kind.file);
    return *plugin::ledger_files({&library, library.component(plugin::Kind::ledger, kind.component)}, kind.settings(folder_.path()));
  }
  // "position run text" of each finding.
  std::vector<std::string> check() {
    std::vector<std::string> lines;
    for (const auto& one : files()->check().found) lines.push_back(std::to_string(one.position) + " " + std::to_string(one.run.position) + " " + one.text);
    return lines;
  }
  void by_hand(const char* sql) {
    sqlite3* db = nullptr;
    sqlite3_open((folder_.path() / "ledger.db").c_str(), &db);
    EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    sqlite3_close(db);
  }
  // Positions: 1 a run with the records 2 and 3, 4 the host's, 5 a run with 6, 7 a run in the queue.
  void some_runs() {
    const auto l = open();
    for (const bool first : {true, false}) {
      l->enter("a");
      const auto claim = l->claim_one();
      if (first) l->commit(l->step(claim));
      l->finish(claim);
      if (first) l->commit({.records = {{20, "{}"}}});
    }
    l->enter("a");
  }
  Folder folder_{memory_disk()};
};

using Lines = std::vector<std::string>;

TEST_F(LedgerFilesSuite, WhatNobodyTouchedIsSound) {
  some_runs();
  const auto report = files()->check();
  EXPECT_TRUE(report.found.empty());
  ASSERT_EQ(report.told.size(), 1u);
  EXPECT_NE(report.told[0].find("3 runs and 4 records were read"), std::string::npos) << report.told[0];
}

TEST_F(LedgerFilesSuite, ALedgerThatIsNotThereYetIsNoFault) {
  const auto report = files()->check();
  EXPECT_TRUE(report.found.empty());
  EXPECT_NE(report.told.at(0).find("there is no ledger yet"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "ledger.db"));
}

TEST_F(LedgerFilesSuite, IsLookedAtWhileAHostWrites) {
  const auto l = open();
  const auto run = l->enter("a");
  const auto claim = l->claim_one();
  l->commit(l->step(claim));
  EXPECT_EQ(check(), Lines());
  l->finish(claim);
  EXPECT_EQ(check(), Lines());
  EXPECT_EQ(l->get((*l)->load(run)).size(), 3u);
}

TEST_F(LedgerFilesSuite, EachDamagedRowIsTold) {
  some_runs();
  by_hand("UPDATE records SET payload='[]' WHERE position IN (3,4); UPDATE runs SET due=due+1 WHERE id=5");
  EXPECT_EQ(check(), (Lines{"3 1 the record is damaged: its checksum does not fit", "4 0 the record is damaged: its checksum does not fit", "5 5 the record is damaged: its checksum does not fit"}));
}

TEST_F(LedgerFilesSuite, ARowThatIsMissingIsToldByThoseAroundIt) {
  struct Case {
    const char* sql;
    Lines says;
  };
  const std::string gap = "of the positions that are not there (", lost = ") 1 were never removed: rows are missing";
  const std::vector<Case> cases = {
      {"DELETE FROM records WHERE position=2", {"3 1 the record before it, at position 2, is missing", "0 0 " + gap + "2" + lost}},
      {"DELETE FROM records WHERE position=3", {"3 1 the last record of its run is missing", "0 0 " + gap + "3" + lost}},
      {"DELETE FROM records WHERE position=4", {"0 0 " + gap + "4" + lost}},
      {"DELETE FROM runs WHERE id=5", {"6 5 its run's entry, at position 5, is missing", "7 7 its agent's run before it, at position 5, is missing", "0 0 " + gap + "5" + lost}},
      {"DELETE FROM agents",
       {"1 1 its agent, number 1, is missing", "5 5 its agent, number 1, is missing", "7 7 its agent, number 1, is missing"}},
  };
  for (const auto& one : cases) {
    some_runs();
    by_hand(one.sql);
    EXPECT_EQ(check(), one.says) << one.sql;
    for (const auto& file : std::filesystem::directory_iterator(folder_.path())) std::filesystem::remove(file);
  }
}

TEST_F(LedgerFilesSuite, WhatIsNoLedgerIsToldAsTheWhole) {
  std::ofstream(folder_.path() / "ledger.db") << std::string(8192, 'x');
  const auto found = files()->check().found;
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].position, 0);
  EXPECT_NE(found[0].text.find("ledger.db"), std::string::npos) << found[0].text;
}

TEST_F(LedgerFilesSuite, MoreIsSaidOnlyUpToABound) {
  {
    const auto l = open();
    l->commit({.records = std::vector<Record>(1200, {1, "{}"})});
  }
  by_hand("UPDATE records SET payload='[]'");
  const auto lines = check();
  EXPECT_EQ(lines.size(), 1001u);
  EXPECT_NE(lines.back().find("there is more"), std::string::npos);
}

// ---- backups

class Backups : public LedgerFilesSuite {
 protected:
  std::string backup_file() const { return (folder_.path() / "copy.db").string(); }
  LedgerReport restore(const std::string& file) { return files()->restore(file, Instant(Millis(1'800'000'000'000))); }
  static std::string all(const LedgerReport& report) {
    std::string text;
    for (const auto& one : report.found) text += one.text + "\n";
    return text;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& file : std::filesystem::directory_iterator(folder_.path())) found.push_back(file.path().filename().string());
    std::ranges::sort(found);
    return found;
  }
};

TEST_F(Backups, OneOfARunningLedgerHoldsWhatIsWrittenWhileItIsMade) {
  {
    const auto l = open();
    for (int i = 0; i < 40; ++i) l->commit({.records = {{1, std::string(100'000, 'x')}}});
    // Both at once: the writer takes the entry between two parts of the copy.
    bool done = false;
    const auto copy = [](LedgerUpkeep& upkeep, std::string file, bool& is_done) -> Async<void> {
      const auto made = co_await upkeep.backup(std::move(file));
      EXPECT_TRUE(made) << made.error().message;
      is_done = true;
    };
    spawn(l->world().io().get_executor(), copy(l->upkeep(), backup_file(), done));
    l->enter("a", "while it was made");
    while (!done) l->world().settle();
    EXPECT_EQ(check(), Lines());
  }
  EXPECT_EQ(std::filesystem::status(backup_file()).permissions(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  ASSERT_TRUE(restore(backup_file()).found.empty());
  const auto l = open();
  EXPECT_EQ(l->events().size(), 41u);
}

TEST_F(Backups, AnotherWhileOneIsMadeIsRefused) {
  const auto l = open();
  std::vector<Async<LedgerResult<void>>> both;
  both.push_back(l->upkeep().backup(backup_file()));
  both.push_back(l->upkeep().backup(backup_file() + "2"));
  const auto made = l->together(std::move(both));
  EXPECT_TRUE(made[0]);
  ASSERT_FALSE(made[1]);
  EXPECT_EQ(made[1].error().message, "a backup is being made");
}

TEST_F(Backups, OneThatCannotBeMadeLeavesNothing) {
  const auto l = open();
  const auto nowhere = l->run(l->upkeep().backup((folder_.path() / "nowhere" / "copy.db").string()));
  ASSERT_FALSE(nowhere);
  EXPECT_NE(nowhere.error().message.find("nowhere/copy.db.part"), std::string::npos) << nowhere.error().message;
  l->enter("a");
}

TEST_F(Backups, NoneTakesThePlaceOfTheLedgerOrOfWhatBelongsToIt) {
  some_runs();
  const auto ledger = folder_.path() / "ledger.db";
  std::filesystem::create_directory(folder_.path() / "elsewhere");
  std::filesystem::create_hard_link(ledger, folder_.path() / "elsewhere" / "same.db");
  std::filesystem::create_symlink(ledger, folder_.path() / "elsewhere" / "link.db");
  const std::vector<std::string> own = {"ledger.db", "ledger.db-wal", "ledger.db.claims", "ledger.db.lock", "elsewhere/../ledger.db", "elsewhere/same.db", "elsewhere/link.db"};
  const auto told = [](const std::string& file) { return file + " is the ledger itself or belongs to it; name another file for the copy"; };
  for (const auto& name : own) {
    const auto file = (folder_.path() / name).string();
    EXPECT_EQ(all(files()->copy(file)), told(file) + "\n");
  }
  const auto l = open();
  for (const auto& name : own) {
    const auto file = (folder_.path() / name).string();
    const auto report = files()->copy(file);
    EXPECT_FALSE(report.in_use) << "or who has it open would be asked for one";
    EXPECT_EQ(all(report), told(file) + "\n");
    const auto made = l->run(l->upkeep().backup(file));
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().message, told(file));
  }
  l->enter("a");
}

TEST_F(Backups, AStoppedLedgerIsCopiedAndOneInUseIsNot) {
  some_runs();
  EXPECT_TRUE(files()->copy(backup_file()).found.empty());
  std::filesystem::remove(folder_.path() / "ledger.db");
  std::filesystem::remove(folder_.path() / "ledger.db.claims");
  EXPECT_TRUE(restore(backup_file()).found.empty());
  EXPECT_EQ(check(), Lines());
  const auto l = open();
  EXPECT_EQ(l->events().size(), 7u);
  for (const auto& report : {files()->copy(backup_file()), restore(backup_file())}) {
    EXPECT_TRUE(report.in_use);
    EXPECT_NE(all(report).find("is in use by process " + std::to_string(::getpid())), std::string::npos) << all(report);
  }
}

TEST_F(Backups, RestoredItIsAnotherEpochAndGivesNoPositionAgain) {
  some_runs();
  ASSERT_TRUE(files()->copy(backup_file()).found.empty());
  std::string epoch;
  {
    const auto l = open();  // what is lost with the restore
    epoch = (*l)->epoch();
    l->finish(l->claim_one());
    l->enter("a");
  }
  Position before = 8;
  for (int times = 0; times < 2; ++times) {
    const auto report = restore(backup_file());
    ASSERT_TRUE(report.found.empty()) << all(report);
    ASSERT_EQ(report.told.size(), 2u);
    EXPECT_NE(report.told[0].find("is kept as "), std::string::npos) << report.told[0];
    EXPECT_EQ(report.told[1], "1 run had not ended when the backup was made, and goes on from there");
    EXPECT_EQ(check(), Lines());
    const auto l = open();
    EXPECT_NE((*l)->epoch(), epoch);
    epoch = (*l)->epoch();
    EXPECT_GE((*l)->last_position(), std::int64_t{1'800'000'000'000} * 1024 - 1) << "as no ledger can have counted";
    EXPECT_GT(l->enter("a").position, before);
    before = (*l)->last_position();
    EXPECT_EQ(l->get((*l)->list({})).size(), 4u);
    const auto claim = l->claim_one();
    EXPECT_EQ(claim.run.position, 7);
    EXPECT_EQ(claim.deaths, 0) << "the marks were another ledger's";
  }
  EXPECT_EQ(std::ranges::count_if(names(), [](const auto& name) { return name.starts_with("ledger.db.replaced-") && name.ends_with("Z"); }), 1);
  EXPECT_EQ(std::ranges::count_if(names(), [](const auto& name) { return name.ends_with("Z-2"); }), 1);
}

TEST_F(Backups, WhatWasClaimedWhenItWasMadeCountsNoDeath) {
  {
    const auto l = open();
    for (int i = 0; i < 2; ++i) {
      auto entry = l->entry("a");
      entry.max_concurrent = 2;
      l->enter(std::move(entry));
    }
    l->commit(l->step(l->claim().at(1)));  // the other one is told by its mark alone
    ASSERT_TRUE(l->run(l->upkeep().backup(backup_file())));
  }
  ASSERT_TRUE(restore(backup_file()).found.empty());
  for (const int deaths : {0, 1}) {
    const auto l = open();
    const auto claims = l->claim();
    ASSERT_EQ(claims.size(), 2u);
    for (const auto& claim : claims) EXPECT_EQ(claim.deaths, deaths) << "of the run at " << claim.run.position << ": only a host that died with it counts";
    EXPECT_TRUE(claims[1].has_records);
  }
}

TEST_F(Backups, GenerationsGoOnOverARestore) {
  std::uint64_t later = 0;
  open()->enter("a");
  ASSERT_TRUE(files()->copy(backup_file()).found.empty());
  for (int i = 0; i < 3; ++i) later = open()->claim_one().generation;
  ASSERT_TRUE(restore(backup_file()).found.empty());
  EXPECT_GT(open()->claim_one().generation, later);
}

TEST_F(Backups, WhatIsDamagedOrNoLedgerIsNotRestored) {
  some_runs();
  by_hand("UPDATE records SET payload='[]' WHERE position=3");
  ASSERT_TRUE(files()->copy(backup_file()).found.empty());
  by_hand("UPDATE records SET payload='{\"end\":true}' WHERE position=3");
  const auto damaged = restore(backup_file());
  ASSERT_EQ(damaged.found.size(), 2u);
  EXPECT_EQ(damaged.found[0].position, 3);
  EXPECT_NE(damaged.found[1].text.find("copy.db is damaged and was not restored"), std::string::npos);
  std::ofstream(backup_file()) << std::string(8192, 'x');
  EXPECT_EQ(all(restore(backup_file())), backup_file() + ": file is not a database\n");
  EXPECT_NE(all(restore("/nowhere")).find("/nowhere: there is no such file"), std::string::npos);
  EXPECT_NE(all(restore((folder_.path() / "ledger.db").string())).find("is the ledger itself"), std::string::npos);
  EXPECT_EQ(check(), Lines());
  EXPECT_EQ(names(), (Lines{"copy.db", "ledger.db", "ledger.db.claims", "ledger.db.lock"}));
}

TEST_F(Backups, OneIsNotRestoredUnderAReadersFeet) {
  some_runs();
  ASSERT_TRUE(files()->copy(backup_file()).found.empty());
  sqlite3* reader = nullptr;
  sqlite3_open((folder_.path() / "ledger.db").c_str(), &reader);
  ASSERT_EQ(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM runs", nullptr, nullptr, nullptr), SQLITE_OK);
  open()->enter("a", "in the log alone");
  EXPECT_NE(all(restore(backup_file())).find("another process reads it"), std::string::npos);
  sqlite3_close(reader);
  EXPECT_EQ(open()->events().size(), 8u);
  EXPECT_TRUE(restore(backup_file()).found.empty());
  EXPECT_EQ(open()->events().size(), 7u);
}

// ---- deaths of a restore

// The machine dies at every single change of a name, one after the other: what is there is the old one or the new one, whole, or a host
// says that it is lost; and the next restore restores.
class RestoreFaults : public Backups {
 protected:
  static constexpr std::size_t kInTheBackup = 7, kInTheOld = 17;
  Folder killed_{memory_disk()};

  // As a host that was killed leaves it: what it wrote last is in the log alone.
  void SetUp() override {
    some_runs();
    ASSERT_TRUE(files()->copy(backup_file()).found.empty());
    const auto l = open();
    old_epoch_ = (*l)->epoch();
    for (int i = 0; i < 10; ++i) l->enter("a");
    for (const char* name : {"copy.db", "ledger.db", "ledger.db-wal", "ledger.db.claims"}) std::filesystem::copy_file(folder_.path() / name, killed_.path() / name);
  }
  void everywhere(Fault::Kind kind) {
    for (const bool is_gone : {false, true}) {
      const int count = operations_of_all(is_gone);
      ASSERT_GE(count, 3);
      check(is_gone);
      for (int n = 1; n <= count && !HasFailure(); ++n) {
        SCOPED_TRACE("at operation " + std::to_string(n) + " of " + std::to_string(count) + (is_gone ? ", without a ledger" : ""));
        suffer({kind, n}, is_gone);
        check(is_gone);
      }
    }
  }

 private:
  void clear() {
    for (const auto& file : std::filesystem::directory_iterator(folder_.path())) std::filesystem::remove(file);
  }
  // In a process of its own.
  void suffer(Fault fault, bool is_gone) {
    clear();
    for (const auto& file : std::filesystem::directory_iterator(killed_.path())) std::filesystem::copy_file(file, folder_.path() / file.path().filename());
    if (is_gone) std::filesystem::remove(folder_.path() / "ledger.db");
    const Folder replaced(memory_disk());
    const auto child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      arm_names(fault, replaced.path());
      const bool done = restore(backup_file()).found.empty();
      const int count = name_operations();
      std::ofstream(replaced.path() / "operations") << count;
      ::_exit(done ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == (fault.kind == Fault::Kind::none ? 0 : kDied)) << status;
    std::ifstream(replaced.path() / "operations") >> operations_;
  }
  int operations_of_all(bool is_gone) {
    suffer({}, is_gone);
    return operations_;
  }
  void check(bool is_gone) {
    std::string epoch = old_epoch_;
    if (std::filesystem::exists(folder_.path() / "ledger.db")) {
      EXPECT_EQ(check_lines(), Lines());
      const auto l = open();
      epoch = (*l)->epoch();
      EXPECT_EQ(l->events().size(), epoch == old_epoch_ ? kInTheOld : kInTheBackup);
      if (is_gone) EXPECT_NE(epoch, old_epoch_) << "the log of a lost ledger was played";
      if (epoch != old_epoch_) EXPECT_EQ(l->claim_one().deaths, 0) << "the marks were another ledger's";
    } else {
      EXPECT_TRUE(is_gone);
      EXPECT_THROW(open(), std::runtime_error) << "a host began anew";
    }
    ASSERT_EQ(all(restore(backup_file())), "");
    EXPECT_EQ(check_lines(), Lines());
    const auto l = open();
    EXPECT_NE((*l)->epoch(), epoch);
    EXPECT_EQ(l->events().size(), kInTheBackup);
  }
  Lines check_lines() { return LedgerFilesSuite::check(); }

  std::string old_epoch_;
  int operations_ = 0;
};

TEST_F(RestoreFaults, DeathAnywhere) { everywhere(Fault::Kind::death); }
TEST_F(RestoreFaults, PowerLossAnywhere) { everywhere(Fault::Kind::power_loss); }
TEST_F(RestoreFaults, PowerLossThatTheLatestChangeSurvivesAnywhere) { everywhere(Fault::Kind::power_loss_torn); }

TEST_F(RestoreFaults, TheLogOfALostLedgerIsKeptAside) {
  for (const char* name : {"ledger.db", "ledger.db-wal", "ledger.db.claims"}) std::filesystem::remove(folder_.path() / name);
  std::filesystem::copy_file(killed_.path() / "ledger.db-wal", folder_.path() / "ledger.db-wal");
  std::filesystem::copy_file(killed_.path() / "ledger.db.claims", folder_.path() / "ledger.db.claims");
  const auto report = restore(backup_file());
  ASSERT_TRUE(report.found.empty()) << all(report);
  EXPECT_NE(report.told.at(0).find("no ledger was there; what was left of one is kept as "), std::string::npos) << report.told[0];
  for (const char* ending : {"Z-wal", "Z.claims"}) EXPECT_EQ(std::ranges::count_if(names(), [&](const auto& name) { return name.starts_with("ledger.db.replaced-") && name.ends_with(ending); }), 1) << ending;
}

}  // namespace
}  // namespace agentd::conformance
