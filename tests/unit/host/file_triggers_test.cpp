// Runs that files start: a real folder, a virtual clock.
#include "host/file_triggers.hpp"

#include <gtest/gtest.h>
#include <sys/inotify.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/event/record.hpp"
#include "host/redactor.hpp"
#include "tests/support/bench/fake_ledger.hpp"

namespace agentd::host {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using namespace support;
using Runs = std::vector<std::string>;

struct FilesOfAnAgent : testing::Test {
  FilesOfAnAgent() {
    std::string place = (fs::temp_directory_path() / "agentd-inbox-XXXXXX").string();
    root = mkdtemp(place.data());
    inbox = root / "inbox";
    fs::create_directory(inbox);
    spec.agent_id = "clerk";
    spec.triggers = {{"in", manifest::FileTrigger{inbox.string(), "*.csv", 2s}}};
  }
  ~FilesOfAnAgent() override {
    end();
    fs::remove_all(root);
  }

  void start() {
    end();
    Member member;
    member.agent_id = "clerk";
    member.manifest = manifest::canonical(spec);
    member.watches_files = true;
    member.overlap = port::Overlap::queue;
    member.queue_size = 100;
    members.add(std::move(member));
    ledger = std::make_unique<FakeLedger>(world, store);
    triggers = std::make_unique<FileTriggers>(world.world(), *ledger, members, redactor, log);
    spawn(world.world().executor, triggers->start());
    world.settle();
  }
  void end() {
    if (!triggers) return;
    ledger->cut();
    triggers->stop();
    world.advance(2s);
  }
  void write(const std::string& name, const std::string& text = "x") { std::ofstream(inbox / name) << text; }
  // What each run was given since the last time, the oldest first: "a.csv b.csv".
  Runs runs(Millis later = 5s) {
    world.advance(later);
    Runs all;
    for (auto& [position, row] : store.runs) {
      if (position <= told) continue;
      told = position;
      EXPECT_EQ(row.entry.agent_id, "clerk");
      const auto entered = std::get<event::Entered>(event::decode(0, row.entry.payload)->body);
      EXPECT_EQ(entered.trigger + entered.trigger_name, "filein");
      std::string names;
      for (const auto& path : nlohmann::json::parse(entered.params.text)["trigger"]["paths"]) {
        EXPECT_EQ(fs::path(path.get<std::string>()).parent_path(), inbox);
        names += (names.empty() ? "" : " ") + fs::path(path.get<std::string>()).filename().string();
      }
      all.push_back(names);
    }
    return all;
  }

  fs::path root, inbox;
  manifest::AgentSpec spec;
  VirtualWorld world;
  LedgerStore store;
  Redactor redactor;
  Log log{[] {
            manifest::LogSection quiet;
            quiet.level = "off";
            return quiet;
          }(),
          redactor};
  Members members;
  std::unique_ptr<FakeLedger> ledger;
  std::unique_ptr<FileTriggers> triggers;
  Position told = 0;
};

TEST_F(FilesOfAnAgent, StartARunWhenTheyAreWrittenOrMovedIn) {
  start();
  EXPECT_EQ(runs(), Runs{});
  write("a.csv");
  EXPECT_EQ(runs(), Runs{"a.csv"});
  std::ofstream(root / "b.csv") << "x";
  fs::rename(root / "b.csv", inbox / "b.csv");
  EXPECT_EQ(runs(), Runs{"b.csv"});
  write("a.csv", "more");
  EXPECT_EQ(runs(), Runs{"a.csv"});
  EXPECT_EQ(runs(1h), Runs{});
}

TEST_F(FilesOfAnAgent, ThatComeTogetherStartOneRun) {
  start();
  for (const char* name : {"a.csv", "b.csv", "c.csv"}) {
    write(name);
    EXPECT_EQ(runs(1s), Runs{});
  }
  EXPECT_EQ(runs(2s), Runs{"a.csv b.csv c.csv"});
}

TEST_F(FilesOfAnAgent, ThatNeverStopComingAreNotPutOffForEver) {
  start();
  Runs all;
  for (int i = 0; i < 30; ++i) {
    write(std::to_string(i) + ".csv");
    for (auto& run : runs(1s)) all.push_back(run);
  }
  EXPECT_EQ(all.size(), 1u);  // after ten times the debounce
}

TEST_F(FilesOfAnAgent, OfOtherNamesAndHiddenOnesAndFoldersDoNotCount) {
  start();
  write("a.txt"), write(".a.csv");
  fs::create_directory(inbox / "d.csv");
  fs::create_symlink("/etc/passwd", inbox / "l.csv");
  EXPECT_EQ(runs(), Runs{});
}

TEST_F(FilesOfAnAgent, ThatAreBeingWrittenAreNotYetThere) {
  std::ofstream slow(inbox / "slow.csv");
  start();
  for (int i = 0; i < 5; ++i) {
    slow << "line" << std::endl;
    EXPECT_EQ(runs(2s), Runs{});
  }
  slow.close();
  EXPECT_EQ(runs(), Runs{"slow.csv"});
}

TEST_F(FilesOfAnAgent, ThatWereThereOrCameWhileNoHostRanAreFound) {
  write("old.csv");
  start();
  EXPECT_EQ(runs(), Runs{"old.csv"});
  end();
  write("new.csv"), write("old.csv", "changed");
  start();
  EXPECT_EQ(runs(), Runs{"new.csv old.csv"});
  start();
  EXPECT_EQ(runs(), Runs{});
}

TEST_F(FilesOfAnAgent, AreRememberedAlsoWhenTheirRunsArePruned) {
  write("old.csv");
  start();
  EXPECT_EQ(runs(), Runs{"old.csv"});
  store.runs.clear();
  start();
  EXPECT_EQ(runs(), Runs{});
}

TEST_F(FilesOfAnAgent, AreRememberedAlsoWhenTheirNamesAreNotUtf8) {
  write("b\xff\xe4.csv"), write("\xc3\xa4.csv");
  start();
  EXPECT_EQ(runs().size(), 1u);
  start();
  EXPECT_EQ(runs(), Runs{});
}

TEST_F(FilesOfAnAgent, StartOneRunWhateverDiesWhen) {
  for (const char* what : {"fails", "happened", "dies"}) {
    write(std::string(what) + ".csv");
    start();
    const auto next = ledger->operations() + 1;
    const std::string happens = what;
    if (happens == "fails") ledger->fail(next, {});
    if (happens == "happened") ledger->fail(next, {.fault = port::LedgerFault::unknown_outcome, .happened = true});
    if (happens == "dies") ledger->cut_after(store.log.size() + 1);
    world.advance(10s);
    start();
    EXPECT_EQ(runs(10s), Runs{happens + ".csv"});
  }
}

TEST_F(FilesOfAnAgent, AreWatchedForInAFolderThatIsReplaced) {
  start();
  fs::rename(inbox, root / "old");
  world.settle();
  fs::create_directory(inbox);
  write("a.csv");
  EXPECT_EQ(runs(10s), Runs{"a.csv"});
  write("b.csv");
  EXPECT_EQ(runs(), Runs{"b.csv"});
  fs::remove_all(inbox);
  EXPECT_EQ(runs(1min), Runs{});
  fs::create_directory(inbox);
  write("c.csv");
  EXPECT_EQ(runs(10s), Runs{"c.csv"});
}

TEST_F(FilesOfAnAgent, AreWatchedForInAFolderThatComesLater) {
  fs::remove(inbox);
  start();
  EXPECT_EQ(runs(1min), Runs{});
  fs::create_directory(inbox);
  write("a.csv");
  EXPECT_EQ(runs(10s), Runs{"a.csv"});
}

TEST_F(FilesOfAnAgent, AreFoundWhereThePathLeadsElsewhereWithoutAWord) {
  fs::remove(inbox);
  for (const char* name : {"one", "other"}) fs::create_directory(root / name);
  fs::create_directory_symlink(root / "one", inbox);
  start();
  write("a.csv");
  EXPECT_EQ(runs(), Runs{"a.csv"});
  fs::remove(inbox);
  fs::create_directory_symlink(root / "other", inbox);
  write("b.csv");
  EXPECT_EQ(runs(1min), Runs{"b.csv"});
}

TEST_F(FilesOfAnAgent, OfAThousandAreARunAndNoMore) {
  for (int i = 0; i < 1500; ++i) write(std::to_string(10'000 + i) + ".csv");
  start();
  const auto all = runs(10s);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(std::ranges::count(all[0], ' '), 999);
  EXPECT_EQ(std::ranges::count(all[1], ' '), 499);
}

TEST(FolderWatch, LooksAtAllWhenTooMuchCameAtOnce) {
  int most = 0;
  std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> most;
  if (most == 0 || most > 100'000) GTEST_SKIP() << "the kernel's queue is too long to fill";
  std::string place = (fs::temp_directory_path() / "agentd-watch-XXXXXX").string();
  const fs::path folder = mkdtemp(place.data());
  VirtualWorld world;
  int told_all = 0;
  FolderWatch watch(world.world(), [&](const std::string&, std::string_view name) { told_all += name.empty(); });
  ASSERT_TRUE(watch.open());
  watch.add(folder.string());
  for (int i = 0; i <= most; ++i) std::ofstream(folder / std::to_string(i % 2));  // of two names: equal neighbours are one event
  world.settle();
  EXPECT_GE(told_all, 1);
  watch.stop();
  world.settle();
  fs::remove_all(folder);
}

}  // namespace
}  // namespace agentd::host
