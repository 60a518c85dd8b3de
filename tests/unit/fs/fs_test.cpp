#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <agentd/testing/fake_host.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <thread>

#include "plugins/fs/sandbox.hpp"

namespace {

using agentd::testing::Ended;
using nlohmann::json;
namespace files = std::filesystem;

// A folder with an allowed part and a secret beside it.
class Fs : public ::testing::Test {
 protected:
  Fs() {
    std::string name = files::temp_directory_path() / "fs_test.XXXXXX";
    base = mkdtemp(name.data());
    files::create_directories(base / "in/sub");
    files::create_directory(base / "out");
    write("in/a.txt", "one\ntwo\nthree\n");
    write("in/sub/b.log", "an error here\nall fine\n");
    write("out/secret", "hidden");
  }
  ~Fs() override { files::remove_all(base); }

  void write(const std::string& name, const std::string& text) { std::ofstream(base / name) << text; }
  std::string read(const std::string& name) {
    std::ifstream in(base / name);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::string path(const std::string& name) { return (base / name).string(); }
  std::string roots() { return json{{"roots", {path("in")}}}.dump(); }
  Ended call(const std::string& tool, const json& arguments, std::uint64_t scope = 0) {
    if (!fs) fs.emplace(host.create("fs", roots()));
    return fs->call(tool, arguments.dump(), scope);
  }
  json value(const std::string& tool, const json& arguments) {
    const auto ended = call(tool, arguments);
    EXPECT_TRUE(ended.ok()) << ended.value;
    return ended.ok() ? json::parse(ended.value) : json();
  }
  void expect_refused(const Ended& ended, const std::string& why) {
    EXPECT_FALSE(ended.ok()) << ended.value;
    EXPECT_NE(ended.value.find(why), std::string::npos) << ended.value;
  }

  files::path base;
  agentd::testing::FakeHost host;
  std::optional<agentd::testing::FakeComponent> fs;
};

TEST_F(Fs, ListsAFolderInOrderAndAsDeepAsAsked) {
  const auto flat = value("list", {{"path", path("in")}});
  ASSERT_EQ(flat["entries"].size(), 2u);
  EXPECT_EQ(flat["entries"][0]["path"], path("in/a.txt"));
  EXPECT_EQ(flat["entries"][0]["size"], 14);
  EXPECT_EQ(flat["entries"][1]["type"], "folder");
  EXPECT_EQ(value("list", {{"path", "."}, {"depth", 2}, {"glob", "*.log"}})["entries"][0]["path"], path("in/sub/b.log"));
  EXPECT_EQ(value("list", {{"path", "."}, {"limit", 1}})["complete"], false);
}

TEST_F(Fs, ReadsTextByPiecesAndNeverSplitsACharacter) {
  write("in/u.txt", "aé日");
  EXPECT_EQ(value("read_file", {{"path", "u.txt"}})["text"], "aé日");
  const auto first = value("read_file", {{"path", "u.txt"}, {"max_bytes", 2}});
  EXPECT_EQ(first["text"], "a");
  EXPECT_EQ(first["complete"], false);
  EXPECT_EQ(value("read_file", {{"path", "u.txt"}, {"offset", 2}})["text"], "日");
  write("in/bin", std::string("a\0b", 3));
  expect_refused(call("read_file", {{"path", "bin"}}), "is not text");
}

TEST_F(Fs, TailsTheLastLines) {
  EXPECT_EQ(value("tail", {{"path", "a.txt"}, {"lines", 2}})["text"], "two\nthree\n");
  EXPECT_EQ(value("tail", {{"path", "a.txt"}, {"lines", 9}})["text"], "one\ntwo\nthree\n");
  write("in/open", "x\ny");
  EXPECT_EQ(value("tail", {{"path", "open"}, {"lines", 1}})["text"], "y");
  write("in/empty", "");
  EXPECT_EQ(value("tail", {{"path", "empty"}})["text"], "");
}

TEST_F(Fs, FindsLinesWithTheirPlace) {
  const auto found = value("search", {{"text", "error"}, {"path", "."}});
  ASSERT_EQ(found["matches"].size(), 1u);
  EXPECT_EQ(found["matches"][0]["path"], path("in/sub/b.log"));
  EXPECT_EQ(found["matches"][0]["line"], 1);
  EXPECT_EQ(value("search", {{"text", "t"}, {"path", "."}, {"glob", "*.txt"}})["matches"][1]["line"], 3);
  EXPECT_EQ(value("search", {{"text", "e"}, {"path", "."}, {"limit", 1}})["complete"], false);
}

TEST_F(Fs, ReplacesAFileAsAWholeAndKeepsItsMode) {
  files::permissions(base / "in/a.txt", files::perms(0600));
  EXPECT_EQ(value("write_file", {{"path", "a.txt"}, {"text", "new"}})["size"], 3);
  EXPECT_EQ(read("in/a.txt"), "new");
  EXPECT_EQ(files::status(base / "in/a.txt").permissions(), files::perms(0600));
  value("write_file", {{"path", path("in/sub/fresh")}, {"text", ""}});
  EXPECT_TRUE(files::exists(base / "in/sub/fresh"));
  EXPECT_EQ(std::distance(files::directory_iterator(base / "in/sub"), {}), 2);  // no draft is left
  expect_refused(call("write_file", {{"path", "none/x"}, {"text", ""}}), "No such file");
  expect_refused(call("write_file", {{"path", "sub"}, {"text", ""}}), "not a regular file");
}

TEST_F(Fs, CountsWhatASearchDidNotLookInto) {
  EXPECT_EQ(value("search", {{"text", "t"}, {"path", "."}})["complete"], true);
  write("in/big.log", std::string(5 << 20, 'x') + "\nneedle\n");
  const auto large = value("search", {{"text", "needle"}, {"path", "."}});
  EXPECT_EQ(large["complete"], false);
  EXPECT_EQ(large["files_skipped"], (json{{"too_large", 1}, {"unreadable", 0}, {"too_deep", 0}}));
  EXPECT_EQ(large["files_searched"], 2);
  EXPECT_EQ(value("search", {{"text", "needle"}, {"path", "."}, {"glob", "*.txt"}})["complete"], true) << "it was not asked for";

  std::string deep = "in/sub";
  for (int i = 0; i < 17; ++i) deep += "/d";
  files::create_directories(base / deep);
  write(deep + "/n.txt", "needle");
  const auto shallow = value("search", {{"text", "needle"}, {"path", "sub"}});
  EXPECT_EQ(shallow["complete"], false);
  EXPECT_EQ(shallow["files_skipped"]["too_deep"], 1);
}

TEST_F(Fs, GoesOnSearchingBehindAFileThatCannotBeRead) {
  if (!files::exists("/sys/bus/cpu/drivers_probe")) GTEST_SKIP() << "no file is there that cannot be read by anyone";
  auto kernel = host.create("fs", R"({"roots": ["/sys/bus/cpu"]})");
  const auto ended = kernel.call("search", R"({"text": "1", "path": "."})");
  ASSERT_TRUE(ended.ok()) << ended.value;
  const auto found = json::parse(ended.value);
  EXPECT_EQ(found["complete"], false);
  EXPECT_GE(found["files_skipped"]["unreadable"], 1);
  EXPECT_GE(found["files_searched"], 1);
}

TEST_F(Fs, LeavesAFileToItsOwnerAndTakesItsPowersAway) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may give files away";
  ASSERT_EQ(chown(path("in/a.txt").c_str(), 1000, 1001), 0);
  ASSERT_EQ(chmod(path("in/a.txt").c_str(), 06755), 0);
  value("write_file", {{"path", "a.txt"}, {"text", "#!/bin/sh"}});
  struct stat s {};
  ASSERT_EQ(stat(path("in/a.txt").c_str(), &s), 0);
  EXPECT_EQ(s.st_uid, 1000u);
  EXPECT_EQ(s.st_gid, 1001u);
  EXPECT_EQ(s.st_mode & 07777, 0755u) << "what a model wrote must not run as somebody else";
}

TEST_F(Fs, RefusesToTakeAFileFromItsOwner) {
  if (geteuid() != 0) GTEST_SKIP() << "needs a file of somebody else's";
  for (const char* folder : {".", "in"}) files::permissions(base / folder, files::perms(0777));
  ASSERT_EQ(chown(path("in/a.txt").c_str(), 1000, 1000), 0);
  ASSERT_EQ(seteuid(65534), 0);
  const auto ended = call("write_file", {{"path", "a.txt"}, {"text", "mine"}});
  ASSERT_EQ(seteuid(0), 0);
  expect_refused(ended, "belongs to another user");
  EXPECT_EQ(read("in/a.txt"), "one\ntwo\nthree\n");
  EXPECT_EQ(std::distance(files::directory_iterator(base / "in"), {}), 2) << "no draft is left";
}

TEST_F(Fs, LeavesNothingBehindWhenItIsKilledWhileItWrites) {
  if (fs_plugin::Fd(open(path("in").c_str(), O_TMPFILE | O_WRONLY, 0600)).get() < 0) GTEST_SKIP() << "this file system has no files without a name";
  const auto killed_while_writing = [&] {
    const rlimit most{4096, 4096};
    setrlimit(RLIMIT_FSIZE, &most);  // one byte more is SIGXFSZ
    call("write_file", {{"path", "a.txt"}, {"text", std::string(1 << 20, 'x')}});
  };
  EXPECT_EXIT(killed_while_writing(), testing::KilledBySignal(SIGXFSZ), "");
  EXPECT_EQ(read("in/a.txt"), "one\ntwo\nthree\n");
  EXPECT_EQ(std::distance(files::directory_iterator(base / "in"), {}), 2);
}

TEST_F(Fs, RefusesEveryWayOut) {
  files::create_symlink(base / "out", base / "in/link");
  files::create_symlink("../out/secret", base / "in/relative");
  files::create_symlink("/proc/self/root", base / "in/magic");
  for (const std::string& way : {std::string("../out/secret"), path("out/secret"), path("in/../out/secret"), std::string("link/secret"), std::string("relative"),
                                 std::string("magic") + path("out/secret"), std::string("/etc/passwd"), path("in") + "side"})
    for (const char* tool : {"read_file", "stat", "tail"}) expect_refused(call(tool, {{"path", way}}), way);
  expect_refused(call("list", {{"path", "link"}}), "leads out");
  expect_refused(call("search", {{"text", "hidden"}, {"path", "link"}}), "leads out");
  expect_refused(call("write_file", {{"path", "link/new"}, {"text", "x"}}), "leads out");
  EXPECT_FALSE(files::exists(base / "out/new"));
  EXPECT_EQ(value("search", {{"text", "hidden"}, {"path", "."}})["matches"].size(), 0u);
}

TEST_F(Fs, WritingOverALinkReplacesTheLinkNotItsTarget) {
  files::create_symlink(base / "out/secret", base / "in/relative");
  value("write_file", {{"path", "relative"}, {"text", "mine"}});
  EXPECT_EQ(read("out/secret"), "hidden");
  EXPECT_EQ(read("in/relative"), "mine");
}

TEST_F(Fs, HoldsWhileAFolderIsSwappedForALink) {
  files::create_directory(base / "in/swap");
  write("in/swap/secret", "harmless");
  std::jthread attacker([&](const std::stop_token& done) {
    while (!done.stop_requested()) {
      files::rename(base / "in/swap", base / "in/away");
      files::create_symlink(base / "out", base / "in/swap");
      files::remove(base / "in/swap");
      files::rename(base / "in/away", base / "in/swap");
    }
  });
  int read = 0;
  for (int i = 0; i < 2000; ++i) {
    const auto ended = call("read_file", {{"path", "swap/secret"}});
    if (!ended.ok()) continue;
    ++read;
    ASSERT_EQ(json::parse(ended.value)["text"], "harmless");
  }
  EXPECT_GT(read, 0);
}

TEST_F(Fs, WalksWithoutTheKernelsHelpAndFollowsNoLink) {
  files::create_symlink(base / "out", base / "in/link");
  files::create_symlink("a.txt", base / "in/inner");
  const fs_plugin::Fd root(open(path("in").c_str(), O_PATH | O_DIRECTORY));
  const auto opens = [&](const char* way, int flags) { return fs_plugin::Fd(fs_plugin::walk_beneath(root.get(), way, flags)).get() >= 0; };
  EXPECT_TRUE(opens("a.txt", O_RDONLY));
  EXPECT_TRUE(opens("sub/b.log", O_RDONLY));
  EXPECT_TRUE(opens(".", O_RDONLY | O_DIRECTORY));
  EXPECT_FALSE(opens("none", O_RDONLY));
  EXPECT_EQ(errno, ENOENT);
  for (const char* way : {"link/secret", "link", "inner", "../out/secret", "sub/../../out/secret"})
    for (const int flags : {O_RDONLY, O_PATH, O_RDONLY | O_DIRECTORY}) {
      EXPECT_FALSE(opens(way, flags)) << way;
      EXPECT_EQ(errno, EXDEV) << way;
    }
}

TEST_F(Fs, ReadsNeitherFifosNorDevices) {
  ASSERT_EQ(mkfifo(path("in/fifo").c_str(), 0600), 0);
  expect_refused(call("read_file", {{"path", "fifo"}}), "not a regular file");
  expect_refused(call("read_file", {{"path", "sub"}}), "Is a directory");
}

TEST_F(Fs, AnAgentsRootsNarrowAndNeverWiden) {
  call("stat", {{"path", "."}});
  const auto narrow = fs->bind(json{{"roots", {path("in/sub")}}}.dump());
  ASSERT_TRUE(narrow.ok()) << narrow.value;
  const auto scope = std::stoull(narrow.value);
  expect_refused(call("read_file", {{"path", path("in/a.txt")}}, scope), "leads out");
  EXPECT_TRUE(call("read_file", {{"path", path("in/sub/b.log")}}, scope).ok());
  EXPECT_EQ(fs->bind(json{{"roots", {path("in/sub")}}}.dump()).value, narrow.value);
  EXPECT_TRUE(fs->bind(R"({"roots": ["sub"]})").ok());
  expect_refused(fs->bind(R"({"roots": ["../out"]})"), "would widen");
  expect_refused(fs->bind(json{{"roots", {path("out")}}}.dump()), "would widen");
  expect_refused(fs->bind(json{{"roots", {"/"}}}.dump()), "would widen");
  files::create_symlink(base / "out", base / "in/link");
  expect_refused(fs->bind(json{{"roots", {path("in/link")}}}.dump()), "cannot be opened");
}

TEST_F(Fs, ReadOnlyHidesOrRefusesWriting) {
  auto settings = json::parse(roots());
  settings["read_only"] = true;
  auto only = host.create("fs", settings.dump());
  for (const auto& tool : only.tools()) EXPECT_NE(tool.name, "write_file");
  expect_refused(only.bind(R"({"read_only": false})"), "would widen");
  call("stat", {{"path", "."}});
  const auto scope = std::stoull(fs->bind(R"({"read_only": true})").value);
  expect_refused(call("write_file", {{"path", "a.txt"}, {"text", ""}}, scope), "only read");
}

TEST_F(Fs, WithoutRootsNothingIsAllowed) {
  auto closed = host.create("fs", "{}");
  expect_refused(closed.call("read_file", R"({"path": "/etc/passwd"})"), "no folder is allowed");
  EXPECT_FALSE(host.try_create("fs", R"({"roots": ["/no/such/folder"]})").created().ok());
}

}  // namespace
