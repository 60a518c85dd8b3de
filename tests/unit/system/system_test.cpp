#include <gtest/gtest.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <agentd/testing/fake_host.hpp>
#include <nlohmann/json.hpp>

#include "plugins/system/disk_report.hpp"

namespace {

using nlohmann::json;
using system_plugin::Disk;
using system_plugin::make_report;
using system_plugin::Seen;

class System : public ::testing::Test {
 protected:
  json value(const std::string& tool, const std::string& arguments = "{}") {
    const auto ended = system.call(tool, arguments);
    EXPECT_TRUE(ended.ok()) << ended.value;
    return ended.ok() ? json::parse(ended.value) : json();
  }
  agentd::testing::FakeHost host;
  agentd::testing::FakeComponent system = host.create("system");
};

TEST_F(System, TellsTheMachineTheTestRunsOn) {
  EXPECT_EQ(value("load")["cores"], sysconf(_SC_NPROCESSORS_ONLN));
  EXPECT_EQ(value("memory")["total_bytes"].get<int64_t>() / 1024 / 1024,
            static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE) / 1024 / 1024);
  struct statvfs root{};
  ASSERT_EQ(statvfs("/", &root), 0);
  EXPECT_EQ(value("disk", R"({"path": "/"})")["size_bytes"],
            static_cast<int64_t>(root.f_blocks) * static_cast<int64_t>(root.f_frsize));
}

TEST_F(System, MeasuresTheCpuOverTheSample) {
  std::atomic<bool> done = false;
  std::thread busy([&] {
    while (!done) {
    }
  });
  const auto cpu = value("cpu", R"({"sample_ms": 200})");
  done = true;
  busy.join();
  EXPECT_GT(cpu["usage_percent"], 0);
  EXPECT_LE(cpu["usage_percent"], 100);
  EXPECT_EQ(cpu["per_core_percent"].size(), cpu["cores"]);
}

TEST_F(System, SaysInItsSchemasWhatItTakes) {
  EXPECT_EQ(system.call("cpu", R"({"sample_ms": 49})").value, R"(argument "sample_ms": expected a number from 50 to 5000, got 49)");
  EXPECT_EQ(system.call("processes", R"({"limit": 101})").value, R"(argument "limit": expected a number from 1 to 100, got 101)");
  EXPECT_NE(system.tools()[0].schema.find(R"("sample_ms":{"type":"integer","minimum":50,"maximum":5000,)"), std::string::npos) << system.tools()[0].schema;
}

TEST_F(System, FindsItselfAmongTheProcesses) {
  bool found = false;
  for (const auto& process : value("processes", R"({"limit": 100})")) found = found || process["pid"] == getpid();
  EXPECT_TRUE(found || value("processes", R"({"limit": 100})").size() == 100);
  EXPECT_EQ(value("processes", R"({"limit": 3, "by": "cpu"})").size(), 3u);
}

TEST_F(System, NamesThePathThatIsNot) {
  const auto ended = system.call("disk", R"({"path": "/no/such"})");
  EXPECT_FALSE(ended.ok());
  EXPECT_NE(ended.value.find("/no/such"), std::string::npos);
}

constexpr const char* kMounts = R"(22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:20 / /proc rw - proc proc rw
24 22 0:21 / /run rw - tmpfs tmpfs rw
25 22 0:50 / /srv/dead rw - nfs4 server:/export rw,hard
26 22 0:51 / /srv/share rw - cifs //server/share rw
27 22 0:52 / /home/me/remote rw - fuse.sshfs me@server: rw
28 22 8:17 / /media/a\040stick rw - fuseblk /dev/sdb1 rw
29 22 8:1 /var/lib /data rw - ext4 /dev/sda1 rw
30 22 0:53 / /net rw - autofs systemd-1 rw
31 22 8:33 / /covered rw - xfs /dev/sdc1 rw
32 31 0:54 / /covered rw - nfs server:/over rw
)";

TEST(Mounts, AreReadWithTheirEscapes) {
  const auto all = system_plugin::parse_mountinfo(kMounts);
  ASSERT_EQ(all.size(), 11u);
  EXPECT_EQ(all[6].path, "/media/a stick");
  EXPECT_EQ(all[6].type, "fuseblk");
  EXPECT_EQ(all[6].source, "/dev/sdb1");
  EXPECT_EQ(all[6].device, (uint64_t{8} << 32) | 17);
}

TEST(Mounts, OfTheNetworkAndInMemoryAreNotAskedForTheirSize) {
  std::vector<std::string> paths;
  for (const auto& mount : system_plugin::local_mounts(system_plugin::parse_mountinfo(kMounts))) paths.push_back(mount.path);
  EXPECT_EQ(paths, (std::vector<std::string>{"/", "/media/a stick"}));
}

TEST(Mounts, OfAPathIsTheDeepestThatHoldsIt) {
  const auto proc = system_plugin::disk_of("/proc/self");
  EXPECT_EQ(proc.path, "/proc");
  EXPECT_EQ(proc.type, "proc");
}

TEST(DiskReport, NamesTheDisksAboveTheThresholdAndWhatChanged) {
  const std::vector<Disk> disks = {{"/", "ext4", "/dev/a", 100, 95, 5, 95}, {"/home", "ext4", "/dev/b", 100, 10, 90, 10}};
  const auto report = make_report(disks, {90}, Seen{{"/", 90.5}});
  EXPECT_EQ(report.full, std::vector<std::string>{"/"});
  EXPECT_EQ(report.change_percent.at("/"), 4.5);
  EXPECT_EQ(report.summary, "2 disks, 1 at or above 90%");
  EXPECT_EQ(make_report(disks, {99}, {}).summary, "2 disks, none at or above 99%");
}

TEST(DiskReport, KeepsWhatItSawForTheNextRun) {
  agentd::testing::FakeHost host;
  auto task = host.create("disk_report");
  const auto first = json::parse(task.run(R"({"paths": ["/"]})").value);
  ASSERT_EQ(first["result"]["disks"].size(), 1u);
  const auto second = json::parse(task.run(R"({"paths": ["/"]})", first["state"].dump()).value);
  EXPECT_EQ(second["result"]["change_percent"].size(), 1u);
  EXPECT_FALSE(task.run(R"({"threshold": 1})").ok());  // a typing mistake is not ignored
}

}  // namespace
