// What is promised of a ledger's files without opening it.
#include <sqlite3.h>

#include <fstream>

#include "core/plugin/ledger_files.hpp"
#include "tests/conformance/ledger_fixture.hpp"

namespace agentd::conformance {
namespace {

class LedgerFilesSuite : public testing::Test {
 protected:
  std::unique_ptr<OpenLedger> open() {
    auto ledger = std::make_unique<OpenLedger>(ledger_kinds()[0], folder_.path());
    if (!*ledger) throw std::runtime_error(ledger->error());
    (*ledger)->serve("a", true);
    return ledger;
  }
  std::unique_ptr<LedgerFiles> files() {
    const auto kind = ledger_kinds()[0];
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
  Folder folder_;
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
  EXPECT_EQ(check(), (Lines{"3 1 is damaged: its checksum does not fit", "4 0 is damaged: its checksum does not fit", "5 5 is damaged: its checksum does not fit"}));
}

TEST_F(LedgerFilesSuite, ARowThatIsMissingIsToldByThoseAroundIt) {
  struct Case {
    const char* sql;
    Lines says;
  };
  const std::string gap = "of the positions that are not there (", lost = ") 1 were never removed: rows are missing";
  const std::vector<Case> cases = {
      {"DELETE FROM records WHERE position=2", {"3 1 the record before it, at position 2, is missing", "0 0 " + gap + "2" + lost}},
      {"DELETE FROM records WHERE position=3", {"3 1 is missing: it is the last record of its run", "0 0 " + gap + "3" + lost}},
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

}  // namespace
}  // namespace agentd::conformance
