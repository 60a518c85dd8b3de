#include <agentd/sdk/io.hpp>
#include <agentd/sdk/kv.hpp>
#include <agentd/sdk/metrics.hpp>
#include <agentd/sdk/timer.hpp>
#include <agentd/sdk/work.hpp>
#include <agentd/testing/fake_host.hpp>
#include <gtest/gtest.h>

#include <memory>

using namespace agentd::sdk;
using agentd::testing::FakeAnswer;
using agentd::testing::FakeHost;
using agentd::testing::FakeRequest;
using std::chrono::milliseconds;

namespace services_test {

struct Everything : Toolset {
  explicit Everything(const Config&, const Host& host) : host_(host), calls_(host, "calls_total", "Calls"), level_(host, "level", "A level") {
    add("remember", "", {"key", "value"}, Effect::once, [this](const std::string& key, const std::string& value) {
      const Kv kv(host_);
      const auto before = kv.get(key);
      kv.put(key, value);
      return before;
    });
    add("count", "", Effect::once, [this] { calls_.add(), calls_.add(2), level_.set(7), level_.add(-1); });
    add("fetch", "", {"url"}, Effect::pure, [](Call& call, std::string url) {
      const HttpResponse page = fetch(call, {"GET", std::move(url)});
      return std::to_string(page.status) + std::string(page.header("x-name")) + page.body;
    });
    add("stream", "", {"url"}, Effect::pure, [this](Reply<std::string> reply, std::string url) {
      const auto text = std::make_shared<std::string>();
      const agentd_op op = reply.call().op();
      stream(host_, op, {"GET", std::move(url)},
             {[text](const HttpHead& head) { return *text += std::to_string(head.status) + ":", head.status == 200; },
              [text](std::string_view piece) { return *text += "[" + std::string(piece) + "]", true; },
              [text, reply = std::move(reply)](const HttpResult& result) mutable {
                if (const auto* error = std::get_if<Error>(&result)) return reply.fail(*error);
                reply(*text);
              }});
    });
    add("later", "", {"ms"}, Effect::once, [this](Reply<void> reply, int ms) {
      timer_ = Timer(host_, milliseconds(ms), [reply = std::move(reply)]() mutable { reply(); });
    });
    add("forget_timer", "", Effect::once, [this] { timer_ = Timer(); });
    add("watch", "", {"fd", {"times", "how often it goes on", 100}}, Effect::once, [this](int64_t fd, int times) {
      watch_ = Watch(host_, fd, Io::both, [this, times](Io ready) {
        host_.log(std::string(can_read(ready) ? "r" : "") + (can_write(ready) ? "w" : ""));
        if (++told_ > 50) throw Error("too often");
        return told_ < times;
      });
    });
    add("forget_watch", "", Effect::once, [this] { watch_ = Watch(); });
    add("watch_once", "", {"fd"}, Effect::once, [this](int64_t fd) {
      watch_ = Watch(host_, fd, Io::read, [this](Io) { return watch_.stop(), host_.log("stopped"), true; });
    });
    add("background", "", Effect::once, [this] {
      on_worker(host_, 0, [this] { host_.log("in the background"), throw Error("and it failed"); });
    });
  }
  Host host_;
  Counter calls_;
  Gauge level_;
  Timer timer_;
  Watch watch_;
  int told_ = 0;
};

const agentd_plugin* plugin() {
  static const detail::Descriptor descriptor("services", "1", provides<Everything>("everything"));
  return descriptor.get();
}

}  // namespace services_test

namespace {

struct ServicesTest : ::testing::Test {
  FakeHost host{services_test::plugin()};
};

TEST_F(ServicesTest, KeepValues) {
  auto all = host.create("everything");
  EXPECT_EQ(all.call("remember", R"({"key": "k", "value": "1"})").value, "null");
  EXPECT_EQ(all.call("remember", R"({"key": "k", "value": "2"})").value, R"("1")");
  EXPECT_EQ(host.kv().at("k"), "2");
}

TEST_F(ServicesTest, Count) {
  host.create("everything").call("count");
  EXPECT_EQ(host.metric("calls_total"), 3);
  EXPECT_EQ(host.metric("level"), 6);
}

TEST_F(ServicesTest, AreSilentOrNamedWhereTheyAreMissing) {
  host.without(AGENTD_HOST_METRICS_1);
  host.without(AGENTD_HOST_KV_1);
  auto all = host.create("everything");
  EXPECT_TRUE(all.call("count").ok());
  EXPECT_EQ(all.call("remember", R"({"key": "k", "value": "1"})").value, "this host has no agentd.host.kv/1");
}

TEST_F(ServicesTest, FetchWaitsForTheWholeAnswer) {
  host.answer_http([](const FakeRequest& request) { return FakeAnswer{404, "no " + request.url, {{"x-name", "n"}}}; });
  auto all = host.create("everything");
  EXPECT_EQ(all.call("fetch", R"({"url": "u"})").value, R"("404nno u")");
}

TEST_F(ServicesTest, FetchThrowsWhatKeptAnAnswerFromComing) {
  host.answer_http([](const FakeRequest&) { return FakeAnswer{0, "connection refused", {}, 0, AGENTD_RETRYABLE}; });
  auto all = host.create("everything");
  const auto ended = all.call("fetch", R"({"url": "u"})");
  EXPECT_EQ(ended.status, AGENTD_RETRYABLE);
  EXPECT_EQ(ended.value, "connection refused");
}

TEST_F(ServicesTest, FetchEndsWhenItsCallIsCancelled) {
  FakeAnswer silence;
  silence.hangs = true;
  host.answer_http([&](const FakeRequest&) { return silence; });
  auto all = host.create("everything");
  const agentd_op op = all.start("fetch", R"({"url": "u"})");
  all.cancel(op);
  EXPECT_EQ(all.wait(op).status, AGENTD_CANCELLED);
}

TEST_F(ServicesTest, StreamInPieces) {
  int status = 200;
  host.answer_http([&](const FakeRequest&) { return FakeAnswer{status, "abcde", {}, 2}; });
  auto all = host.create("everything");
  EXPECT_EQ(all.call("stream", R"({"url": "u"})").value, R"("200:[ab][cd][e]")");
  status = 500;
  EXPECT_EQ(all.call("stream", R"({"url": "u"})").status, AGENTD_CANCELLED);  // the head said to stop
}

TEST_F(ServicesTest, RunLater) {
  auto all = host.create("everything");
  const agentd_op op = all.start("later", R"({"ms": 100})");
  all.call("count");  // later's body has run by now
  all.advance(milliseconds(99));
  all.advance(milliseconds(1));
  EXPECT_TRUE(all.wait(op).ok());
}

TEST_F(ServicesTest, ForgetATimerThatIsReplaced) {
  auto all = host.create("everything");
  const agentd_op op = all.start("later", R"({"ms": 100})");
  all.call("forget_timer");
  EXPECT_EQ(all.wait(op).status, AGENTD_UNKNOWN_OUTCOME);
  all.advance(milliseconds(1000));
}

TEST_F(ServicesTest, WatchADescriptorAsLongAsItIsWanted) {
  auto all = host.create("everything");
  all.call("watch", R"({"fd": 3})");
  EXPECT_EQ(all.ready(4, Io::read), 0);
  EXPECT_EQ(all.ready(3, Io::read), 1);
  EXPECT_EQ(all.ready(3, Io::both), 1);
  all.call("forget_watch");
  EXPECT_EQ(all.ready(3, Io::read), 0);
  EXPECT_EQ(host.logs(), (std::vector<std::string>{"r", "rw"}));
}

TEST_F(ServicesTest, EndAWatchFromInside) {
  auto all = host.create("everything");
  all.call("watch", R"({"fd": 3, "times": 2})");
  EXPECT_EQ(all.ready(3, Io::write) + all.ready(3, Io::write) + all.ready(3, Io::write), 2);
  all.call("watch_once", R"({"fd": 3})");
  EXPECT_EQ(all.ready(3, Io::read) + all.ready(3, Io::read), 1);
  EXPECT_EQ(host.logs(), (std::vector<std::string>{"w", "w", "stopped"}));
}

TEST_F(ServicesTest, EndAWatchThatThrows) {
  auto all = host.create("everything");
  all.call("watch", R"({"fd": 3})");
  for (int i = 0; i < 60; ++i) all.ready(3, Io::read);
  EXPECT_EQ(host.logs().size(), 52u);
  EXPECT_EQ(host.logs().back(), "too often");
}

TEST_F(ServicesTest, RefuseToWatchWhatIsNoDescriptor) {
  auto all = host.create("everything");
  EXPECT_EQ(all.call("watch", R"({"fd": -1})").value, "the host cannot watch descriptor -1");
  host.without(AGENTD_HOST_IO_1);
  EXPECT_EQ(all.call("watch", R"({"fd": 3})").value, "this host has no agentd.host.io/1");
}

TEST_F(ServicesTest, WorkInTheBackground) {
  auto all = host.create("everything");
  all.call("background");
  all.call("count");
  EXPECT_EQ(host.logs(), (std::vector<std::string>{"in the background", "and it failed"}));
}

}  // namespace
