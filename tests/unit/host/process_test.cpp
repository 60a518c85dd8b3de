#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <new>
#include <sstream>

#include "host/cli/command.hpp"
#include "host/out_of_memory.hpp"
#include "host/streams.hpp"

namespace agentd::host {
namespace {

TEST(Output, ThatIsLostIsAFailure) {
  std::ofstream full("/dev/full");
  std::ostringstream err;
  full << "the answer\n";
  EXPECT_EQ(finish_output(full, STDIN_FILENO, err, cli::kDone), cli::kFailed);
  EXPECT_NE(err.str().find("could not be written to standard output"), std::string::npos);
  EXPECT_EQ(finish_output(full, STDIN_FILENO, err, cli::kUsage), cli::kUsage);
}

TEST(Output, ThatIsWrittenChangesNothing) {
  std::ostringstream out, err;
  out << "the answer\n";
  EXPECT_EQ(finish_output(out, STDIN_FILENO, err, cli::kDone), cli::kDone);
  EXPECT_EQ(err.str(), "");
}

TEST(Output, IsMissedByNobodyWhoseReaderHasLeft) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  std::ofstream lost("/dev/full");
  std::ostringstream err;
  lost << "the answer\n";
  EXPECT_EQ(finish_output(lost, ends[1], err, cli::kDone), cli::kDone);
  EXPECT_EQ(err.str(), "");
  ::close(ends[1]);
}

// In a child: what is written to the stream that was missing fails, and the next file does not become it.
void start_without(int stream) {
  ::close(stream);
  open_missing_streams();
  const int next = ::open("/dev/null", O_RDWR);
  char byte = 0;
  const bool as_it_should = next > STDERR_FILENO && ::write(stream, "x", 1) < 0 && ::read(stream, &byte, 1) == 0;
  std::_Exit(as_it_should ? 0 : 1);
}

TEST(Streams, ThatAreMissingAreNobodyElses) {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    EXPECT_EXIT(start_without(stream), testing::ExitedWithCode(0), "") << stream;
}

void take_all_memory() {
  tell_when_memory_is_out();
  void* volatile taken = ::operator new(std::size_t(1) << 50);
  (void)taken;
}

TEST(Memory, ThatIsOutIsTold) {
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  GTEST_SKIP() << "a sanitizer's own operator new asks no handler";
#endif
  EXPECT_DEATH(take_all_memory(), "agentd: out of memory");
}

}  // namespace
}  // namespace agentd::host
