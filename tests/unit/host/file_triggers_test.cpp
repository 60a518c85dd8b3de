// Runs that files start: a real folder, a virtual clock.
#include "host/file_triggers.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "core/event/record.hpp"
#include "host/entries.hpp"
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
    member.overlap = overlap;
    member.queue_size = queue_size;
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
  void moved_in(const std::string& name, const std::string& text) {
    std::ofstream(root / name) << text;
    fs::last_write_time(root / name, {});
    fs::rename(root / name, inbox / name);
  }
  // Every run of the agent so far that lives comes to this.
  void become(port::RunStatus status) {
    for (auto& [position, row] : store.runs)
      if (!port::is_final(row.status)) row.status = status;
  }
  // What each run was given since the last time, the oldest first: "a.csv b.csv". Of one that gave none also what became of it.
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
      all.push_back(names + (port::is_final(row.status) ? " " + std::string(port::name(row.status)) : ""));
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
  port::Overlap overlap = port::Overlap::queue;
  std::uint32_t queue_size = 100;
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
  for (const char* what : {"unread", "fails", "happened", "dies"}) {
    write(std::string(what) + ".csv");
    start();
    const auto next = ledger->operations() + 1;  // whether there is room; then the runs
    const std::string happens = what;
    if (happens == "unread") ledger->fail(next, {});
    if (happens == "fails") ledger->fail(next + 1, {});
    if (happens == "happened") ledger->fail(next + 1, {.fault = port::LedgerFault::unknown_outcome, .happened = true});
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

TEST_F(FilesOfAnAgent, ThatAreSeveralRunsWaitForOneAnotherWhateverOverlapSays) {
  for (const auto of : {port::Overlap::skip, port::Overlap::cancel_previous, port::Overlap::queue}) {
    overlap = of;
    store = {}, told = 0;
    for (int i = 0; i < 2100; ++i) write(std::to_string(10'000 + i) + ".csv");
    start();
    ASSERT_EQ(runs(10s).size(), 3u);
    std::vector<bool> stand_aside;
    for (const auto& [position, row] : store.runs) {
      EXPECT_EQ(row.status, port::RunStatus::queued);
      const auto entered = std::get<event::Entered>(event::decode(0, row.entry.payload)->body);
      stand_aside.push_back(is_one_of_all(*members.find("clerk"), entered, row.entered_at));
    }
    EXPECT_EQ(stand_aside, (std::vector{false, true, true}));
  }
}

TEST_F(FilesOfAnAgent, ComeAgainWhenTheAgentsQueueHasRoom) {
  for (const auto in_line : {port::RunStatus::queued, port::RunStatus::waiting}) {
    queue_size = 1;
    store = {}, told = 0;
    for (const auto& file : fs::directory_iterator(inbox)) fs::remove(file);
    start();
    write("a.csv");
    EXPECT_EQ(runs(), Runs{"a.csv"});
    become(in_line);
    write("b.csv");
    EXPECT_EQ(runs(), Runs{"b.csv dropped"});
    write("c.csv");
    EXPECT_EQ(runs(1h), Runs{}) << "one record is enough";
    become(port::RunStatus::running);
    EXPECT_EQ(runs(6s), Runs{"b.csv c.csv"});
    write("d.csv");
    EXPECT_EQ(runs(), Runs{"d.csv dropped"});
    start();
    EXPECT_EQ(runs(1h), Runs{}) << "also over a restart";
    become(port::RunStatus::completed);
    EXPECT_EQ(runs(10s), Runs{"d.csv"});
    EXPECT_EQ(runs(1h), Runs{});
  }
}

TEST_F(FilesOfAnAgent, ThatAreMoreThanTheQueueTakesComeOneRunAfterTheOther) {
  queue_size = 1;
  for (int i = 0; i < 2100; ++i) write(std::to_string(10'000 + i) + ".csv");
  start();
  std::set<std::string> all;
  for (int i = 0; i < 4; ++i) {
    for (const auto& run : runs(10s)) {
      if (run.ends_with(" dropped")) continue;
      std::istringstream names(run);
      for (std::string name; names >> name;) EXPECT_TRUE(all.insert(name).second) << name;
    }
    become(port::RunStatus::completed);
  }
  EXPECT_EQ(all.size(), 2100u);
}

TEST_F(FilesOfAnAgent, ThatAreTooManyForAFolderComeWhenThereAreFewer) {
  for (int i = 0; i < 50'003; ++i) write(std::to_string(100'000 + i) + ".csv", "");
  start();
  const auto first = runs(10s);
  EXPECT_EQ(first.size(), 50u);
  EXPECT_EQ(runs(2min), Runs{});
  for (int i = 0; i < 3; ++i) fs::remove(inbox / first[0].substr(static_cast<std::size_t>(i) * 11, 10));
  const auto others = runs(2min);
  ASSERT_EQ(others.size(), 1u);
  EXPECT_EQ(std::ranges::count(others[0], ' '), 2);
}

TEST_F(FilesOfAnAgent, ThatComeWhileARunIsAliveAreGivenUpWhereOverlapSkips) {
  overlap = port::Overlap::skip;
  start();
  write("a.csv");
  EXPECT_EQ(runs(), Runs{"a.csv"});
  for (const auto alive : {port::RunStatus::running, port::RunStatus::waiting, port::RunStatus::queued}) {
    become(alive);
    const auto name = std::string(port::name(alive)) + ".csv";
    write(name);
    EXPECT_EQ(runs(), Runs{name + " skipped"});
  }
  become(port::RunStatus::completed);
  EXPECT_EQ(runs(1h), Runs{});
  write("b.csv");
  EXPECT_EQ(runs(), Runs{"b.csv"});
}

TEST_F(FilesOfAnAgent, ThatTakeThePlaceOfOthersOfTheSameSizeAndTimeAreNew) {
  start();
  moved_in("a.csv", "1234");
  EXPECT_EQ(runs(), Runs{"a.csv"});
  moved_in("a.csv", "5678");
  EXPECT_EQ(runs(), Runs{"a.csv"});
  start();
  EXPECT_EQ(runs(), Runs{});
  moved_in("a.csv", "9012");
  EXPECT_EQ(runs(), Runs{"a.csv"});
  fs::permissions(inbox / "a.csv", fs::perms::owner_read);
  fs::rename(inbox / "a.csv", root / "a.csv");
  fs::rename(root / "a.csv", inbox / "a.csv");
  EXPECT_EQ(runs(1min), Runs{}) << "it is the same";
}

TEST_F(FilesOfAnAgent, DoNotComeAgainWhereInodesAreNotKeptOrAreOthersNow) {
  start();
  moved_in("a.csv", "1234");
  EXPECT_EQ(runs(), Runs{"a.csv"});
  auto& kept = store.agent_states["clerk/in"];
  auto state = nlohmann::json::parse(kept);
  const nlohmann::json whole = state["a.csv"];
  for (const auto& version : {nlohmann::json{whole[0], whole[1]}, nlohmann::json{whole[0], whole[1], 1}}) {
    end();
    state["a.csv"] = version;
    kept = state.dump();
    store.runs.clear();  // their keys say nothing any more
    start();
    EXPECT_EQ(runs(1min), Runs{}) << kept;
  }
  moved_in("a.csv", "5678");
  EXPECT_EQ(runs(), Runs{"a.csv"});
}

// In a process whose user may have so many of them; false where that cannot be made.
bool limit_inotify(const char* what, int most) {
  const auto uid = std::to_string(getuid());
  if (::unshare(CLONE_NEWUSER) != 0) return false;
  std::ofstream("/proc/self/uid_map") << "0 " << uid << " 1";
  std::ofstream limit(std::string("/proc/sys/user/max_inotify_") + what);
  limit << most << std::flush;
  return limit.good();
}

TEST_F(FilesOfAnAgent, AreFoundWhereInotifyIsUsedUp) {
  constexpr int kFine = 0, kCannot = 77;
  for (const char* what : {"watches", "instances"}) {
    for (const auto& file : fs::directory_iterator(inbox)) fs::remove(file);
    const auto look = [&] {
      if (!limit_inotify(what, 0)) std::exit(kCannot);
      start();
      bool fine = runs() == Runs{};
      write("a.csv");
      fine = fine && runs(10s) == Runs{"a.csv"};
      write("b.csv"), write("a.csv", "more");
      fine = fine && runs(10s) == Runs{"a.csv b.csv"} && runs(1min) == Runs{};
      std::ofstream(std::string("/proc/sys/user/max_inotify_") + what) << 100;
      world.advance(2s);
      write("c.csv");
      std::exit(fine && runs(4s) == Runs{"c.csv"} && runs(1min) == Runs{} ? kFine : 1);
    };
    EXPECT_EXIT(look(), [](int status) { return WIFEXITED(status) && (WEXITSTATUS(status) == kFine || WEXITSTATUS(status) == kCannot); }, "") << what;
  }
}

TEST(FolderWatch, SaysOnceWhatInotifyDoesNotTake) {
  const auto look = [](const char* what) {
    if (!limit_inotify(what, 0)) return std::string("cannot");
    VirtualWorld world;
    std::string warned;
    int told = 0;
    FolderWatch watch(world.world(), [&](const std::string&, std::string_view) { ++told; }, [&](const std::string& why) { warned += why + "\n"; }, 5s);
    watch.open();
    for (const char* folder : {"/", "/proc", "/nowhere"}) watch.add(folder);
    world.advance(21s);
    watch.stop();
    return warned + (watch.is_there("/") && !watch.is_there("/nowhere") ? std::to_string(told) : "wrong");
  };
  const auto says = [&look](const char* what) {
    std::cerr << look(what);
    std::exit(0);
  };
  EXPECT_EXIT(says("watches"), testing::ExitedWithCode(0),
              "^(cannot|inotify cannot watch / \\(No space left on device\\), so it is looked at every 5 s; raise the sysctl fs.inotify.max_user_watches\n8)$");
  EXPECT_EXIT(says("instances"), testing::ExitedWithCode(0),
              "^(cannot|inotify cannot watch / \\(Too many open files\\), so it is looked at every 5 s; raise the sysctl fs.inotify.max_user_instances\n8)$");
}

TEST(FolderWatch, LooksAtAllWhenTooMuchCameAtOnce) {
  int most = 0;
  std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> most;
  if (most == 0 || most > 100'000) GTEST_SKIP() << "the kernel's queue is too long to fill";
  std::string place = (fs::temp_directory_path() / "agentd-watch-XXXXXX").string();
  const fs::path folder = mkdtemp(place.data());
  VirtualWorld world;
  int told_all = 0;
  FolderWatch watch(world.world(), [&](const std::string&, std::string_view name) { told_all += name.empty(); }, [](const std::string&) {}, 5s);
  watch.open();
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
