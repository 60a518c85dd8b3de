// The gates that come with the host.
#include <gtest/gtest.h>
#include <unistd.h>

#include <agentd/testing/fake_host.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "plugins/gates/changed_files.hpp"
#include "plugins/gates/http_changed.hpp"

namespace {

using nlohmann::json;
namespace fs = std::filesystem;

class ChangedFilesGate : public ::testing::Test {
 protected:
  ChangedFilesGate() {
    std::string place = (fs::temp_directory_path() / "agentd-gate-XXXXXX").string();
    folder = mkdtemp(place.data());
  }
  ~ChangedFilesGate() override { fs::remove_all(folder); }
  void write(const std::string& name, const std::string& text) {
    fs::create_directories((folder / name).parent_path());
    std::ofstream(folder / name) << text;
  }
  // Asks with what the last one left; keeps what this one leaves only when the run succeeds.
  json ask(bool succeeds = true) {
    const auto ended = gate.run(json{{"roots", {folder.string()}}}.dump(), state);
    EXPECT_TRUE(ended.ok()) << ended.value;
    const auto answer = json::parse(ended.value);
    if (succeeds && answer.contains("state")) state = answer["state"].dump();
    return answer;
  }
  std::vector<std::string> changed(bool succeeds = true) {
    std::vector<std::string> names;
    const auto answer = ask(succeeds);
    if (!answer["proceed"]) return names;
    for (const auto& file : answer["params"]["changed"]["files"])
      names.push_back(fs::path(file["path"].get<std::string>()).filename().string());
    for (const auto& path : answer["params"]["changed"]["removed"])
      names.push_back("-" + fs::path(path.get<std::string>()).filename().string());
    return names;
  }
  fs::path folder;
  std::string state = "null";
  agentd::testing::FakeHost host;
  agentd::testing::FakeComponent gate = host.create("changed_files");
};

using Names = std::vector<std::string>;

TEST_F(ChangedFilesGate, OpensForFilesThatAreNewChangedOrGone) {
  write("a", "1"), write("deep/er/b", "22");
  EXPECT_EQ(changed(), (Names{"a", "b"}));
  EXPECT_EQ(changed(), Names{});
  write("a", "333"), write("c", "");
  EXPECT_EQ(changed(), (Names{"a", "c"}));
  fs::remove(folder / "deep/er/b");
  EXPECT_EQ(changed(), Names{"-b"});
  EXPECT_EQ(changed(), Names{});
}

TEST_F(ChangedFilesGate, TellsWhatHasChangedAndWhyItStaysShut) {
  write("a", "12345");
  fs::last_write_time(folder / "a", fs::file_time_type::clock::now() - std::chrono::hours(24));
  const auto file = ask()["params"]["changed"]["files"][0];
  EXPECT_EQ(file["path"], (folder / "a").string());
  EXPECT_EQ(file["size"], 5);
  EXPECT_EQ(file["mtime"].get<std::string>().size(), std::string("2026-12-01T09:00:00Z").size());
  const auto shut = ask();
  EXPECT_FALSE(shut["proceed"]);
  EXPECT_EQ(shut["result"], "no file has changed since the last successful run");
}

TEST_F(ChangedFilesGate, SeesAChangeAgainUntilARunHasSucceeded) {
  write("a", "1");
  EXPECT_EQ(changed(false), Names{"a"});
  EXPECT_EQ(changed(false), Names{"a"});
  EXPECT_EQ(changed(true), Names{"a"});
  EXPECT_EQ(changed(true), Names{});
}

TEST_F(ChangedFilesGate, FollowsNoSymbolicLink) {
  write("real/a", "1");
  changed();
  fs::create_directory_symlink("/etc", folder / "etc");
  fs::create_symlink(folder / "real/a", folder / "link");
  EXPECT_EQ(changed(), Names{});
}

TEST_F(ChangedFilesGate, ListsSoManyAndCountsTheRest) {
  for (int i = 0; i < 250; ++i) write("f" + std::to_string(i), "");
  const auto answer = ask();
  EXPECT_EQ(answer["params"]["changed"]["files"].size(), 200u);
  EXPECT_EQ(answer["params"]["changed"]["more"], 50);
  EXPECT_EQ(changed(), Names{});
}

TEST_F(ChangedFilesGate, SaysWhatIsWrongWithItsRoots) {
  EXPECT_EQ(gate.run(R"({"roots":[]})").status, AGENTD_TERMINAL);
  EXPECT_EQ(gate.run(R"({"roots":["relative"]})").status, AGENTD_TERMINAL);
  EXPECT_EQ(gate.run(R"({"rots":["/"]})").status, AGENTD_TERMINAL);
  EXPECT_EQ(gate.run(json{{"roots", {(folder / "gone").string()}}}.dump()).status, AGENTD_RETRYABLE);  // a mount that comes later
  EXPECT_TRUE(
      gate.run(json{{"roots", {folder.string()}}, {"trigger", {{"paths", json::array()}}}, {"trigger_event", "x"}}.dump()).ok());
}

class HttpChangedGate : public ::testing::Test {
 protected:
  HttpChangedGate() {
    host.answer_http([this](const agentd::testing::FakeRequest&) { return answer; });
  }
  json ask(const std::string& url = "https://example.com/feed") {
    const auto ended = gate.run(json{{"url", url}}.dump(), state);
    EXPECT_TRUE(ended.ok()) << ended.value;
    const auto got = json::parse(ended.value);
    if (got.contains("state")) state = got["state"].dump();
    return got;
  }
  bool opens(const std::string& url = "https://example.com/feed") { return ask(url)["proceed"]; }

  agentd::testing::FakeAnswer answer{200, "one", {{"etag", "\"1\""}, {"last-modified", "Tue, 01 Dec 2026 09:00:00 GMT"}}};
  std::string state = "null";
  agentd::testing::FakeHost host;
  agentd::testing::FakeComponent gate = host.create("http_changed");
};

TEST_F(HttpChangedGate, OpensWhenTheContentIsAnother) {
  EXPECT_TRUE(opens());
  EXPECT_FALSE(opens());
  answer.body = "two";
  const auto open = ask();
  EXPECT_EQ(open["params"]["changed"]["url"], "https://example.com/feed");
  EXPECT_EQ(open["params"]["changed"]["bytes"], 3);
  EXPECT_FALSE(opens());
  answer.headers = {{"etag", "\"of another replica\""}};
  EXPECT_FALSE(opens());
  EXPECT_TRUE(opens("https://example.com/other"));
}

TEST_F(HttpChangedGate, LetsTheServerSayThatNothingHasChanged) {
  opens();
  answer = {304, "", {}};
  EXPECT_FALSE(opens());
  const auto request = gates_plugin::request_for({"u"}, gates_plugin::SeenPage{"u", "\"1\"", "then", ""});
  EXPECT_EQ(request.headers, (agentd::sdk::HttpHeaders{{"if-none-match", "\"1\""}, {"if-modified-since", "then"}}));
  EXPECT_TRUE(request.public_only);
  EXPECT_TRUE(gates_plugin::request_for({"v"}, gates_plugin::SeenPage{"u", "\"1\"", "then", ""}).headers.empty());
}

TEST_F(HttpChangedGate, LooksAtThisMachineOnlyWhereTheManifestSaysSo) {
  EXPECT_TRUE(gates_plugin::request_for({"u"}, std::nullopt).public_only);
  EXPECT_FALSE(gates_plugin::request_for({"u", true}, std::nullopt).public_only);
}

TEST_F(HttpChangedGate, FailsWhereThereIsNoPage) {
  for (const auto& [status, expected] :
       std::map<int, int>{{404, AGENTD_TERMINAL}, {302, AGENTD_TERMINAL}, {500, AGENTD_RETRYABLE}, {429, AGENTD_RETRYABLE}}) {
    answer = {status, "", {}};
    EXPECT_EQ(gate.run(R"({"url":"https://example.com/"})").status, expected) << status;
  }
  EXPECT_EQ(gate.run("{}").status, AGENTD_TERMINAL);
}

TEST(AlwaysGate, IsOpen) {
  agentd::testing::FakeHost host;
  auto gate = host.create("always");
  EXPECT_EQ(gate.run("{}").value, R"({"proceed":true})");
}

}  // namespace
