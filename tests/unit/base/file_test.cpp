#include "core/base/file.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace agentd {
namespace {

TEST(ReadRegularFile, ReadsTheWholeWithinItsBound) {
  const auto path = std::filesystem::temp_directory_path() / ("file_test." + std::to_string(getpid()));
  std::ofstream(path) << std::string(20000, 'x');
  EXPECT_EQ(read_regular_file(path, 20000)->size(), 20000u);
  EXPECT_NE(read_regular_file(path, 19999).error().message.find("is larger than 19999"), std::string::npos);
  std::filesystem::remove(path);
}

TEST(ReadRegularFile, RefusesWhatIsNoneAndWhatCannotBeRead) {
  EXPECT_NE(read_regular_file("/no/such", 10).error().message.find("No such file"), std::string::npos);
  EXPECT_NE(read_regular_file("/tmp", 10).error().message.find("not a regular file"), std::string::npos);
  EXPECT_NE(read_regular_file("/dev/zero", 10).error().message.find("not a regular file"), std::string::npos);
  for (const auto* told_by_the_kernel : {"/proc/self/environ", "/proc/../proc/self/status", "/sys/kernel/mm/transparent_hugepage/enabled"})
    EXPECT_NE(read_regular_file(told_by_the_kernel, 1 << 20).error().message.find("files of /proc and /sys are not read"), std::string::npos) << told_by_the_kernel;
}

}  // namespace
}  // namespace agentd
