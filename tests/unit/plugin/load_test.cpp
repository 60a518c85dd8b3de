#include "core/plugin/load.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <random>
#include <span>

#include "core/plugin/catalog.hpp"
#include "core/plugin/elf.hpp"
#include "core/plugin/trust.hpp"
#include "tests/unit/plugin/folder.hpp"

namespace agentd::plugin::test {
namespace {

std::string reason(const fs::path& file, const std::string& digest = {}) {
  const auto loaded = load(file, digest);
  return loaded ? "it was loaded" : loaded.error().message;
}

TEST(Load, CopiesWhatTheDescriptorSays) {
  const auto loaded = load(Folder::built("good"));
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ((*loaded)->name, "good");
  EXPECT_EQ((*loaded)->version, "1.2.3");
  ASSERT_EQ((*loaded)->components.size(), 1u);
  EXPECT_EQ((*loaded)->components[0]->kind, Kind::toolset);
  EXPECT_EQ((*loaded)->components[0]->settings_schema, "{\"type\":\"object\"}");
}

struct Refusal {
  std::string_view plugin, because;
};
class Refused : public testing::TestWithParam<Refusal> {};

TEST_P(Refused, NamesTheFileAndTheReason) {
  const auto why = reason(Folder::built(GetParam().plugin));
  EXPECT_NE(why.find(GetParam().because), why.npos) << why;
  EXPECT_NE(why.find(std::string(GetParam().plugin) + ".so"), why.npos) << why;
}

INSTANTIATE_TEST_SUITE_P(Plugins, Refused,
                         testing::Values(Refusal{"no_symbol", "it exports no agentd_plugin_entry_v1"},
                                         Refusal{"newer_abi", "wants a newer ABI: it exports agentd_plugin_entry_v2, this host knows agentd_plugin_entry_v1"},
                                         Refusal{"null_entry", "cannot be used on this machine"}, Refusal{"bad_name", "its name is not [a-z0-9]"},
                                         Refusal{"unique", "shared_counter; build it with agentd_add_plugin(), or with -fno-gnu-unique"},
                                         Refusal{"unresolved", "undefined symbol: a_function_that_nobody_has"}),
                         [](const auto& info) { return std::string(info.param.plugin); });

TEST(Load, RefusesWhatIsNoLibrary) {
  const Folder folder;
  EXPECT_NE(reason(folder.write("text.so", "hello")).find("text.so: it is not a shared library"), std::string::npos);
  EXPECT_NE(reason(folder.write("empty.so", "")).find("it is not a shared library"), std::string::npos);
  EXPECT_NE(reason(folder.path / "missing.so").find("missing.so: No such file"), std::string::npos);
  fs::create_directory(folder.path / "folder.so");
  EXPECT_NE(reason(folder.path / "folder.so").find("it is not a shared library"), std::string::npos);
}

TEST(Load, RefusesAnotherArchitecture) {
  const Folder folder;
  auto bytes = bytes_of(Folder::built("good"));
  bytes[18] = 22;  // e_machine: S/390
  const auto why = reason(folder.write("s390.so", bytes));
  EXPECT_NE(why.find("it is built for S/390, this host is "), why.npos) << why;
}

TEST(Load, RefusesWhatOthersMayWriteTo) {
  const Folder folder;
  const auto file = folder.copy("good", "good.so");
  fs::permissions(file, fs::perms(0646));
  EXPECT_NE(reason(file).find("is a file that everybody may write to; chmod o-w it"), std::string::npos) << reason(file);
  fs::permissions(file, fs::perms(0644));
  fs::permissions(folder.path, fs::perms(0777));
  EXPECT_NE(reason(file).find("is a folder that everybody may write to"), std::string::npos) << reason(file);
  fs::permissions(folder.path, fs::perms(0755));
  EXPECT_TRUE(load(file));
}

TEST(Load, RefusesWhatStandsBelowAFolderThatOthersMayWriteTo) {
  const Folder folder;
  const auto outer = folder.path / "outer", inner = outer / "mid" / "inner";
  fs::create_directories(inner);
  fs::copy_file(Folder::built("good"), inner / "good.so");
  fs::permissions(outer, fs::perms(0777));
  const auto refusal = outer.string() + " is a folder that everybody may write to, and " + (inner / "good.so").string() + " is in it; chmod o-w it";
  EXPECT_EQ(reason(inner / "good.so"), refusal);
  fs::create_directory_symlink(inner, folder.path / "link");
  EXPECT_EQ(reason(folder.path / "link" / "good.so"), refusal) << "a link leads there";
  fs::permissions(outer, fs::perms(01777));
  EXPECT_EQ(reason(inner / "good.so"), "it was loaded") << "nobody can move what another has in a sticky folder";
  fs::permissions(inner, fs::perms(01777));
  EXPECT_NE(reason(inner / "good.so").find("is a folder that everybody may write to"), std::string::npos) << "others may add plugins to it";
}

TEST(Load, RefusesWhatStandsBelowAFolderOfAnotherUser) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  const Folder folder;
  const auto outer = folder.path / "outer", inner = outer / "inner";
  fs::create_directories(inner);
  fs::copy_file(Folder::built("good"), inner / "good.so");
  constexpr uid_t kNobody = 65534;
  for (const auto mode : {0755, 01777}) {
    ASSERT_EQ(chown(outer.c_str(), kNobody, 0), 0);
    fs::permissions(outer, fs::perms(mode));
    EXPECT_NE(reason(inner / "good.so").find(outer.string() + " is a folder that another user (65534) may write to"), std::string::npos) << reason(inner / "good.so");
  }
}

TEST(Load, FollowsALinkToWhereTheFileReallyIs) {
  const Folder folder, elsewhere;
  const auto file = elsewhere.copy("good", "good.so");
  fs::create_symlink(file, folder.path / "good.so");
  fs::permissions(elsewhere.path, fs::perms(0777));
  EXPECT_NE(reason(folder.path / "good.so").find("may write to"), std::string::npos);
}

TEST(Load, ComparesTheDigestBeforeAnythingRuns) {
  const auto file = Folder::built("crash");  // mapped, it would end this process
  const auto why = reason(file, std::string(64, '0'));
  EXPECT_NE(why.find("the configuration wants 0000"), why.npos) << why;
  const auto bytes = bytes_of(Folder::built("good"));
  EXPECT_TRUE(load(Folder::built("good"), sha256(std::as_bytes(std::span(bytes)))));
}

TEST(Sha256, KnowsItsTestVector) {
  EXPECT_EQ(sha256(std::as_bytes(std::span(std::string_view("abc")))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(ReadElf, SurvivesEveryCutAndManyChanges) {
  const auto whole = bytes_of(Folder::built("unique"));
  const auto read = [](const std::string& bytes) { return read_elf(std::as_bytes(std::span(bytes))); };
  ASSERT_TRUE(read(whole));
  EXPECT_EQ(read(whole)->unique, std::vector<std::string>{"shared_counter"});
  for (std::size_t n = 0; n < whole.size(); n += n < 4096 ? 1 : 97) (void)read(whole.substr(0, n));
  std::mt19937 random(7);
  for (int i = 0; i < 20'000; ++i) {
    auto bytes = whole;
    for (int k = 0; k < 4; ++k) bytes[random() % std::min<std::size_t>(bytes.size(), 2048)] = static_cast<char>(random());
    (void)read(bytes);
  }
}

// ---- the catalog

TEST(Catalog, KeepsTheReasonOfEachBrokenOneAndGoesOn) {
  const Folder folder;
  folder.copy("good", "good.so");
  folder.copy("newer_abi", "newer_abi.so");
  folder.write("text.so", "hello");
  folder.write("README.md", "not a plugin");
  Catalog catalog({.folders = {folder.path}, .sha256 = {}});
  EXPECT_TRUE(catalog.scan().empty());
  ASSERT_EQ(catalog.libraries().size(), 1u);
  ASSERT_EQ(catalog.broken().size(), 2u);
  EXPECT_TRUE(catalog.find(Kind::toolset, "good"));
  const auto newer = catalog.find(Kind::toolset, "newer_abi");
  EXPECT_NE(newer.error().message.find("plugin \"newer_abi\" is disabled: "), std::string::npos);
  EXPECT_NE(newer.error().message.find("wants a newer ABI"), std::string::npos);
  EXPECT_EQ(catalog.find(Kind::toolset, "god").error().message, "no plugin provides the toolset \"god\"; there is good");
  EXPECT_FALSE(catalog.find(Kind::task, "good"));
}

TEST(Catalog, TakesTheFirstOfANameInSearchOrder) {
  const Folder first, second;
  first.copy("good", "good.so");
  second.copy("twin", "twin.so");
  Catalog catalog({.folders = {first.path, second.path, first.path}, .sha256 = {}});
  catalog.scan();
  ASSERT_EQ(catalog.libraries().size(), 1u);
  EXPECT_EQ(catalog.libraries()[0]->file, first.path / "good.so");
  ASSERT_EQ(catalog.broken().size(), 1u);
  EXPECT_NE(catalog.broken()[0].reason.find("plugin \"good\" 1.2.3 is loaded from " + (first.path / "good.so").string() + " already"), std::string::npos);
}

TEST(Catalog, LoadsANewFileAndAsksForARestartForAChangedOne) {
  const Folder folder;
  Catalog catalog({.folders = {folder.path, folder.path / "missing", ""}, .sha256 = {}});
  EXPECT_TRUE(catalog.scan().empty());
  const auto file = folder.copy("good", "good.so");
  EXPECT_TRUE(catalog.scan().empty());
  EXPECT_TRUE(catalog.find(Kind::toolset, "good"));
  fs::last_write_time(file, fs::last_write_time(file) + std::chrono::hours(1));
  EXPECT_EQ(catalog.scan(), std::vector{file});
  EXPECT_EQ(catalog.libraries().size(), 1u);
}

TEST(Catalog, SaysWhichFilesAreNotAsTheyWereLoaded) {
  const Folder folder;
  Catalog catalog({.folders = {folder.path}, .sha256 = {}});
  const auto file = folder.copy("good", "good.so");
  folder.write("text.so", "hello");
  catalog.scan();
  EXPECT_TRUE(catalog.outdated().empty());
  const auto time = fs::last_write_time(file);
  fs::last_write_time(file, time + std::chrono::hours(1));
  EXPECT_EQ(catalog.outdated(), (std::vector{Catalog::Outdated{file, false}}));
  fs::last_write_time(file, time);
  EXPECT_TRUE(catalog.outdated().empty());
  fs::remove(file);
  fs::remove(folder.path / "text.so");  // it was not loaded
  EXPECT_EQ(catalog.outdated(), (std::vector{Catalog::Outdated{file, true}}));
  EXPECT_TRUE(catalog.find(Kind::toolset, "good"));
}

TEST(Catalog, TriesAFileAgainThatCouldNotBeLoadedOnceItHasChanged) {
  const Folder folder;
  folder.write("good.so", "half of it");
  Catalog catalog({.folders = {folder.path}, .sha256 = {}});
  catalog.scan();
  ASSERT_EQ(catalog.broken().size(), 1u);
  EXPECT_TRUE(catalog.scan().empty());
  EXPECT_EQ(catalog.broken().size(), 1u);
  fs::remove(folder.path / "good.so");
  folder.copy("good", "good.so");
  EXPECT_TRUE(catalog.scan().empty());
  EXPECT_TRUE(catalog.broken().empty());
  EXPECT_TRUE(catalog.find(Kind::toolset, "good"));
}

TEST(Catalog, ChecksADigestByTheFilesName) {
  const Folder folder;
  folder.copy("crash", "crash.so");
  Catalog catalog({.folders = {folder.path}, .sha256 = {{"crash", std::string(64, 'a')}, {"good", std::string(64, 'b')}}});
  catalog.scan();
  ASSERT_EQ(catalog.broken().size(), 1u);
  EXPECT_NE(catalog.broken()[0].reason.find("the configuration wants aaaa"), std::string::npos);
  folder.copy("good", "other.so");
  catalog.scan();
  ASSERT_EQ(catalog.broken().size(), 2u);
  EXPECT_NE(catalog.broken()[1].reason.find("its file must be named good.so"), std::string::npos) << catalog.broken()[1].reason;
}

}  // namespace
}  // namespace agentd::plugin::test
