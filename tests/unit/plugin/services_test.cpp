#include <agentd/sdk/io.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <thread>

#include "core/plugin/kv_files.hpp"
#include "tests/unit/plugin/folder.hpp"
#include "tests/unit/plugin/stage.hpp"

namespace agentd::plugin::test {
namespace {

using port::Status;

// An instance that is given what a test names, without a call in flight unless the test begins one.
class Guest {
 public:
  explicit Guest(Services services = {}) : instances(world.world(), with_log(std::move(services)), options()) {
    opened = world.run(instances.open("my one", cast.library, cast.component(), Cast::frame(), std::make_unique<Prompter>(cast.actor), "{}"));
  }
  ~Guest() { world.run(instances.close()); }

  template <class T>
  const T& service(const char* id) {
    const auto* const table = Actor::service<T>(host(), id);
    EXPECT_NE(table, nullptr) << id;
    return *table;
  }
  agentd_host* host() { return cast.actor.host; }
  // A call that stays open until the test finishes it.
  agentd_op begin(std::optional<port::Outcome>& answer, Millis timeout = 30s) {
    agentd_op open = 0;
    auto story = [](Instance& of, agentd_op& op, Millis patience, std::optional<port::Outcome>& out) -> Async<void> {
      Instance::Start start = [&op](void*, agentd_op mine, std::int64_t) { op = mine; };
      auto calling = of.call(std::move(start), patience, {});
      out = co_await std::move(calling);
    };
    spawn(world.io().get_executor(), story(**opened, open, timeout, answer));
    world.settle();
    return open;
  }

  support::VirtualWorld world;
  Cast cast;
  std::string log;
  Instances instances;
  Result<Instance*> opened;

 private:
  Services with_log(Services s) {
    s.log = [this](LogLevel level, std::string_view instance, std::string_view text) {
      log += std::to_string(static_cast<int>(level)) + " " + std::string(instance) + ": " + std::string(text) + "\n";
    };
    if (!s.io) s.io = &world.io();
    return s;
  }
  Instances::Options options() {
    return {.patience = {}, .make_workers = [this](const Library&) { return std::make_unique<InlineWorkers>(world.world().executor); }, .check_settings = {}};
  }
};

TEST(Services, ThatAreNotThereAreNull) {
  Guest guest;
  for (const auto* id : {AGENTD_HOST_HTTP_1, AGENTD_HOST_KV_1, AGENTD_HOST_METRICS_1, AGENTD_HOST_PROCESS_1, AGENTD_HOST_MODEL_1, AGENTD_HOST_ASK_1, "agentd.host.http/2", ""})
    EXPECT_EQ(guest.host()->service(guest.host(), id), nullptr) << id;
  for (const auto* id : {AGENTD_HOST_OPS_1, AGENTD_HOST_WORK_1, AGENTD_HOST_LOG_1, AGENTD_HOST_TIMER_1, AGENTD_HOST_IO_1})
    EXPECT_NE(guest.host()->service(guest.host(), id), nullptr) << id;
}

TEST(Log, IsCleanedOfWhatIsNotText) {
  Guest guest;
  guest.service<agentd_host_log_v1>(AGENTD_HOST_LOG_1).write(guest.host(), AGENTD_LOG_WARN, str("a\xff"));
  EXPECT_EQ(guest.log, "2 my one: a\xef\xbf\xbd\n");
}

// ---- timer

struct Count {
  int n = 0;
  static void up(void* context) { ++static_cast<Count*>(context)->n; }
};

TEST(Timer, RunsOnceWhenItsTimeHasCome) {
  Guest guest;
  const auto& timer = guest.service<agentd_host_timer_v1>(AGENTD_HOST_TIMER_1);
  Count count;
  const auto id = timer.after(guest.host(), 500, Count::up, &count);
  guest.world.advance(499ms);
  EXPECT_EQ(count.n, 0);
  guest.world.advance(1ms);
  EXPECT_EQ(count.n, 1);
  EXPECT_EQ(timer.cancel(guest.host(), id), AGENTD_STALE);
}

TEST(Timer, ThatIsCancelledNeverRuns) {
  Guest guest;
  const auto& timer = guest.service<agentd_host_timer_v1>(AGENTD_HOST_TIMER_1);
  Count count;
  const auto at_once = timer.after(guest.host(), 0, Count::up, &count), later = timer.after(guest.host(), 500, Count::up, &count);
  EXPECT_EQ(timer.cancel(guest.host(), at_once), AGENTD_OK);  // before the engine has heard of it
  guest.world.settle();
  EXPECT_EQ(timer.cancel(guest.host(), later), AGENTD_OK);
  guest.world.advance(1s);
  EXPECT_EQ(count.n, 0);
}

TEST(Timer, IsDroppedWithItsInstance) {
  Count count;
  Guest guest;
  guest.service<agentd_host_timer_v1>(AGENTD_HOST_TIMER_1).after(guest.host(), 60'000, Count::up, &count);
  EXPECT_TRUE(guest.world.run(guest.instances.close()).empty());
  guest.world.advance(1h);
  EXPECT_EQ(count.n, 0);
}

// ---- metrics

struct Board final : MetricsSink {
  std::map<std::string, double> values;
  std::vector<std::string> names;
  std::uint64_t declare(const std::string& component, const std::string& instance, Kind, std::string name, std::string) override {
    names.push_back(component + "/" + instance + "/" + name);
    return names.size();
  }
  void add(std::uint64_t m, double v) override { values[names[m - 1]] += v; }
  void set(std::uint64_t m, double v) override { values[names[m - 1]] = v; }
};

TEST(Metrics, CountAndGaugeWithinTheirRules) {
  Board board;
  Guest guest({.metrics = &board});
  const auto& metrics = guest.service<agentd_host_metrics_v1>(AGENTD_HOST_METRICS_1);
  const auto hits = metrics.declare(guest.host(), AGENTD_METRIC_COUNTER, str("hits"), str("Hits")), depth = metrics.declare(guest.host(), AGENTD_METRIC_GAUGE, str("depth"), {});
  metrics.add(guest.host(), hits, 2);
  metrics.add(guest.host(), hits, -1);
  metrics.set(guest.host(), hits, 9);
  metrics.set(guest.host(), depth, 4);
  metrics.add(guest.host(), depth, -1);
  metrics.add(guest.host(), 99, 1);
  EXPECT_EQ(board.values["actor/my one/hits"], 2);
  EXPECT_EQ(board.values["actor/my one/depth"], 3);
  for (const auto* bad : {"", "Hits", "1x", "a-b"}) EXPECT_EQ(metrics.declare(guest.host(), AGENTD_METRIC_COUNTER, str(bad), {}), 0u) << bad;
  EXPECT_EQ(metrics.declare(guest.host(), 7, str("x"), {}), 0u);
}

// ---- kv

TEST(Kv, KeepsPrivateFilesPerInstance) {
  const Folder folder;
  Guest guest({.kv_folder = folder.path / "kv"});
  const auto& kv = guest.service<agentd_host_kv_v1>(AGENTD_HOST_KV_1);
  std::string got = "nothing";
  const auto receive = [](void* context, agentd_str value) { *static_cast<std::string*>(context) = view(value); };
  EXPECT_EQ(kv.get(guest.host(), str("a/../b"), receive, &got), AGENTD_OK);
  EXPECT_EQ(got, "nothing");
  EXPECT_EQ(kv.put(guest.host(), str("a/../b"), str("one")), AGENTD_OK);
  EXPECT_EQ(kv.put(guest.host(), str("a/../b"), str("two")), AGENTD_OK);
  EXPECT_EQ(kv.get(guest.host(), str("a/../b"), receive, &got), AGENTD_OK);
  EXPECT_EQ(got, "two");
  const auto file = folder.path / "kv/actor/my one/a%2F%2E%2E%2Fb";
  struct stat is {};
  ASSERT_EQ(stat(file.c_str(), &is), 0);
  EXPECT_EQ(is.st_mode & 0777, 0600u);
  ASSERT_EQ(stat(file.parent_path().c_str(), &is), 0);
  EXPECT_EQ(is.st_mode & 0777, 0700u);
  EXPECT_EQ(kv.erase(guest.host(), str("a/../b")), AGENTD_OK);
  EXPECT_EQ(kv.erase(guest.host(), str("a/../b")), AGENTD_OK);
  EXPECT_FALSE(fs::exists(file));
}

TEST(Kv, HasBounds) {
  const Folder folder;
  KvFiles files(folder.path / "x");
  EXPECT_FALSE(files.put("", "v"));
  EXPECT_FALSE(files.put(std::string(1025, 'k'), "v"));
  EXPECT_FALSE(files.put("k", std::string((1 << 20) + 1, 'v')));
  EXPECT_TRUE(files.put(std::string(1024, 'k'), std::string(1 << 20, 'v')));  // a name that no file can have
  EXPECT_EQ(files.get(std::string(1024, 'k')).value()->size(), std::size_t{1} << 20);
}

TEST(Kv, SaysWhenTheDiskRefuses) {
  const Folder folder;
  folder.write("blocked", "a file where a folder should be");
  Guest guest({.kv_folder = folder.path / "blocked"});
  EXPECT_EQ(guest.service<agentd_host_kv_v1>(AGENTD_HOST_KV_1).put(guest.host(), str("k"), str("v")), AGENTD_TERMINAL);
  EXPECT_NE(guest.log.find("kv: "), std::string::npos) << guest.log;
}

// ---- io

struct Reader {
  int fd = -1;
  std::string got;
  std::function<void()> after = [] {};
  static void ready(void* context, std::uint32_t events) {
    auto& me = *static_cast<Reader*>(context);
    EXPECT_EQ(events, std::uint32_t{AGENTD_IO_READ});
    char c = 0;
    if (read(me.fd, &c, 1) == 1) me.got += c;  // one byte a time: what is left is told again
    me.after();
  }
};

struct Pipe {
  Pipe() { EXPECT_EQ(pipe(ends), 0); }
  ~Pipe() { close(ends[0]), close(ends[1]); }
  void say(std::string_view text) { EXPECT_EQ(write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size())); }
  int ends[2] = {-1, -1};
};

TEST(Io, TellsAsLongAsThereIsSomethingToRead) {
  Guest guest;
  const auto& io = guest.service<agentd_host_io_v1>(AGENTD_HOST_IO_1);
  Pipe pipe;
  Reader reader{.fd = pipe.ends[0]};
  const auto watch = io.watch(guest.host(), pipe.ends[0], AGENTD_IO_READ, Reader::ready, &reader);
  ASSERT_NE(watch, 0u);
  guest.world.settle();
  EXPECT_EQ(reader.got, "");
  pipe.say("abc");
  for (int i = 0; i < 10 && reader.got.size() < 3; ++i) guest.world.settle();
  EXPECT_EQ(reader.got, "abc");
  io.unwatch(guest.host(), watch);
  pipe.say("d");
  for (int i = 0; i < 3; ++i) guest.world.settle();
  EXPECT_EQ(reader.got, "abc");
}

TEST(Io, MayBeUnwatchedFromInside) {
  Guest guest;
  const auto& io = guest.service<agentd_host_io_v1>(AGENTD_HOST_IO_1);
  Pipe pipe;
  Reader reader{.fd = pipe.ends[0]};
  std::uint64_t watch = 0;
  reader.after = [&] { io.unwatch(guest.host(), watch); };
  watch = io.watch(guest.host(), pipe.ends[0], AGENTD_IO_READ, Reader::ready, &reader);
  pipe.say("abc");
  for (int i = 0; i < 10; ++i) guest.world.settle();
  EXPECT_EQ(reader.got, "a");
}

TEST(Io, UnwatchedFromAnotherThreadIsNotRunningAfterwards) {
  Guest guest;
  const auto& io = guest.service<agentd_host_io_v1>(AGENTD_HOST_IO_1);
  Pipe pipe;
  for (int round = 0; round < 50; ++round) {
    auto reader = std::make_unique<Reader>();
    reader->fd = pipe.ends[0];
    std::atomic<bool> going{false}, done{false};
    reader->after = [&] { going = true; };
    const auto watch = io.watch(guest.host(), pipe.ends[0], AGENTD_IO_READ, Reader::ready, reader.get());
    pipe.say("ab");
    std::thread other([&] {
      while (!going) std::this_thread::yield();
      io.unwatch(guest.host(), watch);
      reader.reset();  // a call of ready afterwards would be seen by the sanitizers
      done = true;
    });
    while (!done) guest.world.settle();
    other.join();
  }
}

TEST(Io, RefusesWhatCannotBeWatched) {
  Guest guest;
  const auto& io = guest.service<agentd_host_io_v1>(AGENTD_HOST_IO_1);
  EXPECT_EQ(io.watch(guest.host(), -1, AGENTD_IO_READ, Reader::ready, nullptr), 0u);
  EXPECT_EQ(io.watch(guest.host(), 0, 0, Reader::ready, nullptr), 0u);
  EXPECT_EQ(io.watch(guest.host(), 0, AGENTD_IO_READ, nullptr, nullptr), 0u);
}

// As a plugin in C++ has it.
TEST(Io, GoesThroughTheWrapperOfPluginAuthors) {
  Guest guest;
  Pipe pipe;
  std::string got;
  const auto read_one = [&](sdk::Io ready) {
    char c = 0;
    if (sdk::can_read(ready) && read(pipe.ends[0], &c, 1) == 1) got += c;
    return got.size() < 3;
  };
  const auto settle = [&] {
    for (int i = 0; i < 10; ++i) guest.world.settle();
  };
  sdk::Watch watch(sdk::Host(guest.host()), pipe.ends[0], sdk::Io::read, read_one);
  pipe.say("abcde");
  settle();
  EXPECT_EQ(got, "abc");  // false ended it
  watch = sdk::Watch(sdk::Host(guest.host()), pipe.ends[0], sdk::Io::read, [&](sdk::Io) { return read_one(sdk::Io::read), true; });
  settle();
  EXPECT_EQ(got, "abcde");
  watch.stop();
  pipe.say("f");
  settle();
  EXPECT_EQ(got, "abcde");
  EXPECT_THROW(sdk::Watch(sdk::Host(guest.host()), -1, sdk::Io::read, read_one), sdk::Error);
}

TEST(Io, TellsTheWrapperOfTheEndOfAFile) {
  Guest guest;
  Pipe pipe;
  bool ended = false;
  sdk::Watch watch;
  watch = sdk::Watch(sdk::Host(guest.host()), pipe.ends[0], sdk::Io::read, [&](sdk::Io) {
    char c = 0;
    ended = read(pipe.ends[0], &c, 1) == 0;
    watch.stop();  // from inside
    return true;
  });
  close(std::exchange(pipe.ends[1], -1));
  for (int i = 0; i < 10; ++i) guest.world.settle();
  EXPECT_TRUE(ended);
}

// ---- http

struct Wire final : port::HttpClient {
  explicit Wire(support::VirtualWorld* w = nullptr) : world(w) {}
  Id start(port::HttpRequest request, port::HttpHandler handler) override {
    requests.push_back(std::move(request));
    handlers[++last] = std::move(handler);
    return last;
  }
  void pause(Id id, bool on) override { paused[id] = on; }
  void abort(Id id) override {
    aborted.push_back(id);
    boost::asio::post(world->io(), [this, id] { end(id, fail(on_abort, "aborted")); });
  }
  void end(Id id, Result<void> how = {}) {
    if (auto h = handlers.extract(id)) h.mapped().end(std::move(how));
  }
  support::VirtualWorld* world;
  std::vector<port::HttpRequest> requests;
  std::map<Id, port::HttpHandler> handlers;
  std::map<Id, bool> paused;
  std::vector<Id> aborted;
  ErrorClass on_abort = ErrorClass::terminal;
  Id last = 0;
};

// What the plugin sees of one exchange.
struct Exchange {
  int status = 0, ends = 0, head_answer = 0;
  std::string content_type, streamed, gathered;
  std::int32_t end_status = -1;
  agentd_http_handler handler(bool stream) {
    return {sizeof(agentd_http_handler), 0, this,
            [](void* c, const agentd_http_head* h) {
              auto& me = *static_cast<Exchange*>(c);
              me.status = h->status;
              if (h->header_count) me.content_type = view(h->headers[0]->value);
              return me.head_answer;
            },
            stream ? [](void* c, agentd_str chunk) { return static_cast<Exchange*>(c)->streamed += view(chunk), 0; } : static_cast<std::int32_t (*)(void*, agentd_str)>(nullptr),
            [](void* c, const agentd_result* r) {
              auto& me = *static_cast<Exchange*>(c);
              ++me.ends;
              me.end_status = r->status;
              me.gathered = view(r->value);
            }};
  }
};

struct HttpGuest {
  HttpGuest() { wire.world = &guest.world; }
  std::uint64_t start(Exchange& exchange, agentd_op parent = 0, bool stream = true, std::int64_t timeout_ms = 0) {
    const agentd_header header{sizeof header, 0, str("X-A"), str("1")};
    const agentd_header* const headers[] = {&header};
    const agentd_http_request r{sizeof r, AGENTD_HTTP_PUBLIC_ONLY, parent, str("POST"), str("http://x/"), headers, 1, str("body"), timeout_ms, 0, 0, 0, 0};
    const auto handler = exchange.handler(stream);
    const auto id = guest.service<agentd_host_http_v1>(AGENTD_HOST_HTTP_1).start(guest.host(), &r, &handler);
    guest.world.settle();
    return id;
  }
  Wire wire;
  Guest guest{{.http = &wire}};
};

TEST(Http, PassesARequestOnAndItsAnswerBack) {
  HttpGuest at;
  Exchange exchange;
  ASSERT_NE(at.start(exchange), 0u);
  ASSERT_EQ(at.wire.requests.size(), 1u);
  const auto& request = at.wire.requests[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.body, "body");
  EXPECT_EQ(request.headers, (port::HttpHeaders{{"X-A", "1"}}));
  EXPECT_TRUE(request.public_only);
  EXPECT_EQ(request.timeout, 120s);
  EXPECT_TRUE(at.wire.handlers[1].head({200, {{"content-type", "text/plain"}}, "http://x/"}));
  EXPECT_TRUE(at.wire.handlers[1].body("he"));
  EXPECT_TRUE(at.wire.handlers[1].body("llo"));
  at.wire.end(1);
  EXPECT_EQ(exchange.status, 200);
  EXPECT_EQ(exchange.content_type, "text/plain");
  EXPECT_EQ(exchange.streamed, "hello");
  EXPECT_EQ(exchange.end_status, AGENTD_OK);
  EXPECT_EQ(exchange.ends, 1);
}

TEST(Http, GathersTheBodyForWhoDoesNotWantItInPieces) {
  HttpGuest at;
  Exchange exchange;
  at.start(exchange, 0, false);
  at.wire.handlers[1].body("a\xff");
  at.wire.handlers[1].body("b");
  at.wire.end(1);
  EXPECT_EQ(exchange.gathered, "a\xff" "b");  // bytes as they came
}

TEST(Http, SaysHowItFailed) {
  for (const auto& [c, status] : {std::pair{ErrorClass::retryable, AGENTD_RETRYABLE}, {ErrorClass::unknown_outcome, AGENTD_UNKNOWN_OUTCOME}, {ErrorClass::policy, AGENTD_TERMINAL}}) {
    HttpGuest at;
    Exchange exchange;
    at.start(exchange);
    at.wire.end(1, fail(c, "why"));
    EXPECT_EQ(exchange.end_status, status);
    EXPECT_EQ(exchange.gathered, "why");
  }
}

TEST(Http, TakesItsTimeFromItsParentAndEndsWithIt) {
  HttpGuest at;
  std::optional<port::Outcome> answer;
  const auto parent = at.guest.begin(answer, 30s);
  at.guest.world.advance(10s);
  Exchange exchange, other;
  ASSERT_NE(at.start(exchange, parent), 0u);
  ASSERT_NE(at.start(other), 0u);
  EXPECT_EQ(at.wire.requests[0].timeout, 20s);
  at.guest.cast.actor.finish(parent);
  at.guest.world.settle();
  EXPECT_TRUE(answer);
  EXPECT_EQ(exchange.end_status, AGENTD_CANCELLED);
  EXPECT_EQ(other.ends, 0);
  EXPECT_EQ(at.start(exchange, parent), 0u);  // it is over
  at.wire.end(2);
}

TEST(Http, EndsWithAParentThatIsAbandoned) {
  HttpGuest at;
  std::optional<port::Outcome> answer;
  const auto parent = at.guest.begin(answer, 30s);
  Exchange exchange;
  at.start(exchange, parent);
  at.guest.world.advance(36s);
  EXPECT_EQ(answer->status, Status::unknown_outcome);
  EXPECT_EQ(exchange.end_status, AGENTD_CANCELLED);
  at.guest.cast.actor.finish(parent);
}

TEST(Http, StopsWhenThePluginSaysSo) {
  HttpGuest at;
  Exchange exchange{.head_answer = 1};
  at.start(exchange);
  EXPECT_FALSE(at.wire.handlers[1].head({500, {}, ""}));
  at.wire.end(1, fail("aborted"));
  EXPECT_EQ(exchange.end_status, AGENTD_CANCELLED);

  Exchange second;
  const auto id = at.start(second);
  const auto& http = at.guest.service<agentd_host_http_v1>(AGENTD_HOST_HTTP_1);
  http.pause(at.guest.host(), id, 1);
  http.abort(at.guest.host(), id);
  at.guest.world.settle();
  EXPECT_TRUE(at.wire.paused[2]);
  EXPECT_EQ(second.end_status, AGENTD_CANCELLED);
  http.abort(at.guest.host(), id);  // it has come
  at.guest.world.settle();
  EXPECT_EQ(second.ends, 1);
}

TEST(Http, ThatWasSentAndThenAbortedMayHaveHappened) {
  HttpGuest at;
  Exchange exchange;
  const auto id = at.start(exchange);
  at.wire.on_abort = ErrorClass::unknown_outcome;
  at.guest.service<agentd_host_http_v1>(AGENTD_HOST_HTTP_1).abort(at.guest.host(), id);
  at.guest.world.settle();
  EXPECT_EQ(exchange.end_status, AGENTD_UNKNOWN_OUTCOME);
}

TEST(Http, EndsBeforeItsInstanceIsDestroyed) {
  HttpGuest at;
  Exchange exchange;
  at.start(exchange);
  int ends_at_destroy = -1;
  at.guest.cast.actor.destroy = [&](agentd_op op) {
    ends_at_destroy = exchange.ends;
    at.guest.cast.actor.finish(op);
  };
  EXPECT_TRUE(at.guest.world.run(at.guest.instances.close()).empty());
  EXPECT_EQ(ends_at_destroy, 1);
}

TEST(Http, RefusesAMalformedRequest) {
  HttpGuest at;
  Exchange exchange;
  const auto handler = exchange.handler(true);
  const auto& http = at.guest.service<agentd_host_http_v1>(AGENTD_HOST_HTTP_1);
  EXPECT_EQ(http.start(at.guest.host(), nullptr, &handler), 0u);
  agentd_http_request r{};
  EXPECT_EQ(http.start(at.guest.host(), &r, &handler), 0u);
  r.size = sizeof r;
  r.header_count = 3;
  EXPECT_EQ(http.start(at.guest.host(), &r, &handler), 0u);
  r.header_count = 0;
  EXPECT_EQ(http.start(at.guest.host(), &r, nullptr), 0u);
  r.parent = 12345;
  EXPECT_EQ(http.start(at.guest.host(), &r, &handler), 0u);
}

}  // namespace
}  // namespace agentd::plugin::test
