// What every event store promises. Run over each implementation through its shared object.
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "core/base/ids.hpp"
#include "core/plugin/ports.hpp"
#include "tests/conformance/plugin_world.hpp"

namespace agentd::conformance {
namespace {

using namespace port;
namespace fs = std::filesystem;
using Ids = std::vector<std::string>;

Ids lines_of(const fs::path& file) {
  Ids all;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) all.push_back(line);
  return all;
}
std::string id_of(const std::string& line) { return line.substr(7, line.find('"', 7) - 7); }

Ids ids_in_jsonl(const fs::path& folder) {
  Ids all;
  for (const auto& line : lines_of(folder / "events.jsonl")) all.push_back(id_of(line));
  return all;
}
Ids ids_in_sqlite(const fs::path& folder) {
  sqlite3* db = nullptr;
  sqlite3_open((folder / "events.db").c_str(), &db);
  Ids all;
  const auto add = [](void* to, int, char** row, char**) { return static_cast<Ids*>(to)->push_back(row[0]), 0; };
  sqlite3_exec(db, "SELECT id FROM events ORDER BY id", add, &all, nullptr);
  sqlite3_close(db);
  return all;
}

struct EventsKind {
  const char* name;
  const char* file;
  std::string (*settings)(const fs::path& folder);
  Ids (*kept)(const fs::path& folder);  // null: nobody but the store can look
};

std::string in_file(const fs::path& folder) { return R"({"path":")" + (folder / "events.jsonl").string() + R"(","max_bytes":4096,"max_files":3})"; }
std::string in_folder(const fs::path& folder) { return R"({"path":")" + folder.string() + "\"}"; }
std::string nothing(const fs::path&) { return "{}"; }

class OpenEvents {
 public:
  OpenEvents(const EventsKind& kind, const fs::path& folder) {
    auto& library = library_of(kind.file);
    auto* component = library.component(plugin::Kind::events, kind.name);
    if (!component) throw std::runtime_error("no such event store");
    auto opened = plugins_.world().run(plugin::open_events(plugins_.instances(), {&library, component}, "copy", kind.settings(folder)));
    if (!opened) throw std::runtime_error(opened.error().message);
    store_ = std::move(*opened);
  }
  Result<void> append(std::vector<Event> events) { return plugins_.world().run(store_->append(std::move(events))); }

 private:
  PluginWorld plugins_;
  std::unique_ptr<EventStore> store_;
};

std::string id(int n) { return event_id(n, 0); }
Event event(int n, std::string payload = "{}", int sub_index = 0) {
  Event e;
  e.id = event_id(n, sub_index);
  e.type = "model_call_started";
  e.agent_id = "a";
  e.timestamp = Instant(Millis(1'700'000'000'123));
  e.payload = std::move(payload);
  return e;
}

class EventsSuite : public testing::TestWithParam<EventsKind> {
 protected:
  EventsSuite() { reopen(); }
  void reopen() {
    store_.reset();
    store_ = std::make_unique<OpenEvents>(GetParam(), folder_.path());
  }
  void append(std::vector<Event> events) {
    const auto done = store_->append(std::move(events));
    ASSERT_TRUE(done) << done.error().message;
  }
  void expect_kept(const Ids& ids) {
    if (GetParam().kept) EXPECT_EQ(GetParam().kept(folder_.path()), ids);
  }
  Folder folder_;
  std::unique_ptr<OpenEvents> store_;
};
const EventsKind kSqlite{"sqlite", AGENTD_SQLITE_PLUGIN, in_folder, ids_in_sqlite}, kJsonl{"jsonl", AGENTD_JSONL_PLUGIN, in_file, ids_in_jsonl},
    kRam{"ram", AGENTD_RAM_PLUGIN, nothing, nullptr};
INSTANTIATE_TEST_SUITE_P(Events, EventsSuite, testing::Values(kSqlite, kJsonl, kRam), [](const auto& info) { return std::string(info.param.name); });

TEST_P(EventsSuite, KeepsEventsInOrder) {
  append({event(1), event(2)});
  append({event(3)});
  expect_kept({id(1), id(2), id(3)});
}

TEST_P(EventsSuite, LeavesOutWhatCameAlready) {
  append({event(1), event(2)});
  append({event(1), event(2), event(3)});
  append({event(2), event(3)});
  expect_kept({id(1), id(2), id(3)});
}

TEST_P(EventsSuite, LeavesOutWhatCameBeforeARestart) {
  append({event(1), event(2)});
  reopen();
  if (!GetParam().kept) return;
  append({event(1), event(2), event(3)});
  expect_kept({id(1), id(2), id(3)});
}

TEST_P(EventsSuite, KeepsAllEventsOfOneRecord) {
  Ids all;
  for (int i = 0; i < 12; ++i) {
    append({event(1, "{}", i)});
    all.push_back(event_id(1, i));
  }
  if (!GetParam().kept) return;
  auto kept = GetParam().kept(folder_.path());
  std::ranges::sort(kept), std::ranges::sort(all);
  EXPECT_EQ(kept, all);
}

// ---- those on a disk: whose file it is

class Kept : public EventsSuite {
 protected:
  static Event of_another_ledger(int n) {
    auto e = event(n);
    e.timestamp += Millis(60'000);
    return e;
  }
  static std::string refusal(const Result<void>& done) { return done ? "taken" : done.error().message; }
};
INSTANTIATE_TEST_SUITE_P(Events, Kept, testing::Values(kSqlite, kJsonl), [](const auto& info) { return std::string(info.param.name); });

TEST_P(Kept, RefusesTheEventsOfAnotherLedgerAndTakesNoneOfThem) {
  append({event(1), event(2), event(3)});
  reopen();
  for (const int n : {1, 2, 3}) {
    const auto why = refusal(store_->append({of_another_ledger(n), of_another_ledger(4)}));
    EXPECT_NE(why.find("holds events of another ledger; move it away"), std::string::npos) << why;
    EXPECT_NE(why.find(folder_.path().string()), std::string::npos) << why;
  }
  expect_kept({id(1), id(2), id(3)});
}

TEST_P(Kept, RefusesALedgerThatWentAnotherWayAfterABackup) {
  append({event(1), event(2), event(3)});
  reopen();
  EXPECT_NE(refusal(store_->append({event(1), event(2), of_another_ledger(3)})), "taken");
  EXPECT_NE(refusal(store_->append({event(2), of_another_ledger(3), of_another_ledger(4)})), "taken");
  expect_kept({id(1), id(2), id(3)});
}

TEST_P(Kept, IsForOneStoreAtATime) {
  const auto second = [this] { OpenEvents again(GetParam(), folder_.path()); };
  try {
    second();
    FAIL() << "two have it";
  } catch (const std::runtime_error& e) {
    EXPECT_NE(std::string(e.what()).find("is in use by process " + std::to_string(::getpid())), std::string::npos) << e.what();
  }
  store_.reset();
  second();
}

// ---- jsonl alone

class Jsonl : public testing::Test {
 protected:
  fs::path file() const { return folder_.path() / "events.jsonl"; }
  void write(const std::string& text) { std::ofstream(file(), std::ios::app) << text; }
  static std::string text_of(const fs::path& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static std::string lines_of_one_event() {
    Folder folder;
    OpenEvents(kJsonl, folder.path()).append({event(1)});
    return text_of(folder.path() / "events.jsonl");
  }
  Folder folder_;
};

TEST_F(Jsonl, WritesWhatPeopleAreTold) {
  OpenEvents(kJsonl, folder_.path()).append({event(1, "{\n \"step\": 1\n}")});
  EXPECT_EQ(lines_of(file()), Ids{R"({"id":"0000000000000001-0","type":"model_call_started","agent_id":"a","agent_name":"a","run_id":"","session_id":"",)"
                                  R"("timestamp":"2023-11-14T22:13:20.123Z","payload":{  "step": 1 }})"});
}

TEST_F(Jsonl, CutsOffALineThatWasNotWrittenToItsEnd) {
  for (const std::string torn : {"{\"id\":\"00000000", "{\"id\":\"0000000000000009-0\"}", "{", "x"}) {
    Folder folder;
    OpenEvents(kJsonl, folder.path()).append({event(1)});
    std::ofstream(folder.path() / "events.jsonl", std::ios::app) << torn;
    OpenEvents(kJsonl, folder.path()).append({event(1), event(2)});
    EXPECT_EQ(ids_in_jsonl(folder.path()), (Ids{id(1), id(2)})) << torn;
  }
}

TEST_F(Jsonl, LeavesAFileOfSomebodyElseAsItIs) {
  const std::string ours = lines_of_one_event();
  for (const std::string& text : {std::string("precious line\n"), std::string("precious line"), std::string("{\"id\":\"a\"}\n"), std::string("{\"id\": 1}"),
                                 std::string("{\"id\":\"precious"), std::string("\n"), std::string("{}\n"), ours + "precious line\n", ours + "precious line\nand more"}) {
    for (const char* name : {"events.jsonl", "events.jsonl.1", "events.jsonl.2"}) {
      Folder folder;
      std::ofstream(folder.path() / name) << text;
      try {
        OpenEvents(kJsonl, folder.path()).append({event(1)});
        ADD_FAILURE() << name << " was taken: " << text;
      } catch (const std::runtime_error& e) {
        EXPECT_NE(std::string(e.what()).find((folder.path() / name).string() + ": it does not end with a line of events"), std::string::npos) << e.what();
      }
      EXPECT_EQ(text_of(folder.path() / name), text);
    }
  }
}

TEST_F(Jsonl, LooksForWhatComesAgainInFilesSetAside) {
  const auto big = "{\"x\":\"" + std::string(3000, 'x') + "\"}";
  {
    OpenEvents store(kJsonl, folder_.path());
    for (int n = 1; n <= 5; ++n) store.append({event(n, big)});  // 1 and 2 are deleted by then
  }
  auto late = event(4);
  late.timestamp += Millis(1);
  EXPECT_FALSE(OpenEvents(kJsonl, folder_.path()).append({event(3), late}));
  EXPECT_TRUE(OpenEvents(kJsonl, folder_.path()).append({event(1), event(3), event(4), event(5), event(6)}));
  late.id = id(1);  // it was deleted, but nothing so old can be younger than the last
  EXPECT_FALSE(OpenEvents(kJsonl, folder_.path()).append({late}));
}

TEST_F(Jsonl, BeginsAnewWhenItsFileIsGone) {
  OpenEvents store(kJsonl, folder_.path());
  store.append({event(1)});
  fs::remove(file());
  store.append({event(2)});
  EXPECT_EQ(ids_in_jsonl(folder_.path()), Ids{id(2)});
  fs::rename(file(), folder_.path() / "elsewhere");
  store.append({event(3)});
  EXPECT_EQ(ids_in_jsonl(folder_.path()), Ids{id(3)});
  fs::resize_file(file(), 0);
  store.append({event(4)});
  EXPECT_EQ(ids_in_jsonl(folder_.path()), Ids{id(4)});
  fs::remove(file());
  std::ofstream(file()) << "precious line\n";
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(store.append({event(5)}));
  EXPECT_EQ(text_of(file()), "precious line\n");
}

TEST_F(Jsonl, AFileOfOneTornLineBeginsAnew) {
  write("{\"id\":");
  OpenEvents(kJsonl, folder_.path()).append({event(1)});
  EXPECT_EQ(ids_in_jsonl(folder_.path()), Ids{id(1)});
}

TEST_F(Jsonl, SetsFilesAsideAndDeletesTheOldest) {
  OpenEvents store(kJsonl, folder_.path());
  const auto big = "{\"x\":\"" + std::string(3000, 'x') + "\"}";
  for (int n = 1; n <= 5; ++n) store.append({event(n, big)});
  EXPECT_EQ(ids_in_jsonl(folder_.path()), Ids{id(5)});
  EXPECT_EQ(id_of(lines_of(file().string() + ".1").at(0)), id(4));
  EXPECT_EQ(id_of(lines_of(file().string() + ".2").at(0)), id(3));
  EXPECT_FALSE(fs::exists(file().string() + ".3"));
}

TEST_F(Jsonl, RemembersTheLastIdAcrossARotation) {
  OpenEvents(kJsonl, folder_.path()).append({event(1), event(2)});
  fs::rename(file(), file().string() + ".1");  // the process died between setting aside and writing
  OpenEvents(kJsonl, folder_.path()).append({event(2), event(3)});
  EXPECT_EQ(ids_in_jsonl(folder_.path()), Ids{id(3)});
}

TEST_F(Jsonl, AFullDiskIsToldAndRetried) {
  fs::create_symlink("/dev/full", file());
  // It cannot be cut back either: what matters here is that nothing claims to be kept.
  OpenEvents store(kJsonl, folder_.path());
  EXPECT_FALSE(store.append({event(1)}));
}

}  // namespace
}  // namespace agentd::conformance
