// What a file sink writes to, and what it refuses.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "host/redactor.hpp"
#include "host/sinks/sink.hpp"
#include "tests/support/virtual_world.hpp"

namespace agentd::host {
namespace {

namespace fs = std::filesystem;
using support::VirtualWorld;

struct NoNetwork final : port::HttpClient {
  Id start(port::HttpRequest, port::HttpHandler) override { std::abort(); }
  void pause(Id, bool) override {}
  void abort(Id) override {}
};

struct FileSink : testing::Test {
  FileSink() {
    std::string place = (fs::temp_directory_path() / "agentd-sink-XXXXXX").string();
    folder = mkdtemp(place.data());
  }
  ~FileSink() override { fs::remove_all(folder); }
  Result<void> send_to(const fs::path& path) {
    const auto settings = R"({"path":")" + path.string() + R"("})";
    const auto sink = make_sink("file", "f", settings, {world.world(), http, log});
    std::optional<Result<void>> sent;
    auto send = [](Sink& to, std::optional<Result<void>>& out) -> Async<void> {
      Message message;
      message.title = "hello";
      auto sending = to.send(std::move(message), {});
      out = co_await std::move(sending);
    };
    spawn(world.world().executor, send(**sink, sent));
    const auto guard = boost::asio::make_work_guard(world.io());  // it writes on a thread of its own
    for (int i = 0; i < 1'000 && !sent; ++i) world.io().restart(), world.io().run_one_for(std::chrono::milliseconds(10));
    if (!sent) std::abort();  // it hangs
    return *sent;
  }

  fs::path folder;
  VirtualWorld world;
  NoNetwork http;
  Redactor redactor;
  manifest::LogSection quiet;
  Log log{quiet, redactor};
};

TEST_F(FileSink, WritesALine) {
  ASSERT_TRUE(send_to(folder / "told.jsonl"));
  std::ifstream file(folder / "told.jsonl");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  EXPECT_NE(text.find("hello"), std::string::npos);
}

TEST_F(FileSink, RefusesForGoodWhatIsNoFileAndWaitsForNobody) {
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  for (const auto& path : {folder / "pipe", folder}) {
    const auto sent = send_to(path);
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().error_class, ErrorClass::terminal);
    EXPECT_NE(sent.error().message.find("no regular file"), std::string::npos);
  }
}

}  // namespace
}  // namespace agentd::host
