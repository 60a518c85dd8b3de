// Real threads: what a simulation cannot show.
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <latch>
#include <semaphore>
#include <thread>

#include "tests/unit/plugin/left_behind.hpp"
#include "tests/unit/plugin/stage.hpp"

namespace agentd::plugin::test {
namespace {

using port::Status;

struct Threads {
  explicit Threads(std::uint32_t flags, int threads = 4) : cast(flags), pool_size(threads) { opened = run(open()); }
  ~Threads() { run(close()); }

  Async<Result<void>> open() {
    auto opening = instances.open("one", cast.library, cast.component(), Cast::frame(), std::make_unique<Prompter>(cast.actor), "{}");
    auto got = co_await std::move(opening);
    if (!got) co_return std::unexpected(got.error());
    instance = *got;
    co_return Result<void>();
  }
  Async<std::vector<std::string>> close() { return instances.close(); }

  template <class T>
  T run(Async<T> story) {
    std::optional<T> result;
    auto body = [](Async<T> inner, std::optional<T>& out, boost::asio::io_context& loop) -> Async<void> {
      out = co_await std::move(inner);
      loop.stop();
    };
    spawn(io.get_executor(), body(std::move(story), result, io));
    io.restart();
    io.run();
    return std::move(*result);
  }
  // n calls at once; their outcomes in the order of their ends.
  std::vector<port::Outcome> call_all(int n, std::function<void(agentd_op)> start, Millis timeout = 60s) {
    std::vector<port::Outcome> outcomes;
    auto one = [](Instance& of, std::function<void(agentd_op)> begin, Millis patience, std::vector<port::Outcome>& out, int wanted,
                  boost::asio::io_context& loop) -> Async<void> {
      Instance::Start slot = [&begin](void*, agentd_op op, std::int64_t) { begin(op); };
      auto calling = of.call(std::move(slot), patience, {});
      out.push_back(co_await std::move(calling));
      if (static_cast<int>(out.size()) == wanted) loop.stop();
    };
    for (int i = 0; i < n; ++i) spawn(io.get_executor(), one(*instance, start, timeout, outcomes, n, io));
    io.restart();
    io.run();
    return outcomes;
  }

  boost::asio::io_context io{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard{io.get_executor()};
  SystemClock clock;
  AsioTimers timers{io};
  SystemRandom random;
  Cast cast;
  int pool_size;
  Instances instances{World{io.get_executor(), clock, timers, random},
                      {},
                      {.patience = {.create = 10s, .destroy = 200ms, .grace = 20ms},
                       .make_workers = [this](const Library& l) { return std::make_unique<WorkerPool>(l.name, pool_size); }}};
  Instance* instance = nullptr;
  Result<void> opened;
};

TEST(Bodies, RunOneAtATimeByDefault) {
  Threads stage(0);
  ASSERT_TRUE(stage.opened);
  std::atomic<int> inside{0}, most{0};
  const auto outcomes = stage.call_all(200, [&](agentd_op op) {
    stage.cast.actor.submit(op, [&, op] {
      const int now = ++inside;
      if (now > most) most = now;
      std::this_thread::yield();
      --inside;
      stage.cast.actor.finish(op, AGENTD_OK, "1");
    });
  });
  EXPECT_EQ(most, 1);
  for (const auto& o : outcomes) EXPECT_EQ(o.value, "1");
}

TEST(Bodies, RunSeveralAtOnceWhereTheComponentSaysSo) {
  Threads stage(AGENTD_CONCURRENT, 3);
  ASSERT_TRUE(stage.opened);
  std::latch together(3);  // nobody passes before three are inside
  const auto outcomes = stage.call_all(3, [&](agentd_op op) {
    stage.cast.actor.submit(op, [&, op] {
      together.arrive_and_wait();
      stage.cast.actor.finish(op);
    });
  });
  EXPECT_EQ(outcomes.size(), 3u);
}

TEST(Finishes, FromManyThreadsReachTheirCallsOnce) {
  Threads stage(AGENTD_CONCURRENT);
  ASSERT_TRUE(stage.opened);
  std::atomic<int> accepted{0}, refused{0};
  const auto twice = [&](agentd_op op) {
    for (int i = 0; i < 2; ++i) ++(stage.cast.actor.finish(op, AGENTD_OK, std::to_string(op)) == AGENTD_OK ? accepted : refused);
  };
  for (int round = 0; round < 20; ++round) {
    std::vector<std::thread> outside;  // threads of the plugin's own beside the pool's
    std::counting_semaphore<> done(0);
    const auto outcomes = stage.call_all(50, [&](agentd_op op) {
      stage.cast.actor.submit(op, [&, op] { twice(op); });
      if (op % 5 == 0) outside.emplace_back([&, op] { twice(op); });
    });
    EXPECT_EQ(outcomes.size(), 50u);
    for (auto& t : outside) t.join();
  }
  stage.run(stage.close());  // every body has returned
  EXPECT_EQ(accepted, 1000);
  EXPECT_GE(refused, 1000);
  EXPECT_EQ(stage.cast.library.stale_finishes(), static_cast<std::uint64_t>(refused.load()));
}

TEST(Stuck, WorkersAreReplacedFourTimesThenThePluginIsDisabled) {
  Threads stage(AGENTD_CONCURRENT, 1);
  ASSERT_TRUE(stage.opened);
  std::counting_semaphore<> release(0);
  std::latch freed(5);
  const auto hang = [&](agentd_op op) {
    stage.cast.actor.submit(op, [&] {
      release.acquire();
      freed.count_down();
    });
  };
  const auto answer = [&](agentd_op op) { stage.cast.actor.submit(op, [&, op] { stage.cast.actor.finish(op); }); };
  std::vector<agentd_op> abandoned;
  for (int i = 0; i < 4; ++i) {
    const auto stuck = stage.call_all(1, [&](agentd_op op) { abandoned.push_back(op), hang(op); }, 10ms);
    EXPECT_EQ(stuck[0].status, Status::unknown_outcome);
    EXPECT_EQ(stage.call_all(1, answer)[0].status, Status::ok) << "another thread took its place, " << i;
  }
  stage.call_all(1, [&](agentd_op op) { abandoned.push_back(op), hang(op); }, 10ms);
  const auto refused = stage.call_all(1, answer);
  EXPECT_EQ(refused[0].status, Status::terminal);
  EXPECT_NE(refused[0].value.find("plugin \"actors\" is disabled: more than 4 of its threads are stuck"), std::string::npos) << refused[0].value;
  release.release(5);
  freed.wait();
  for (const auto op : abandoned) EXPECT_EQ(stage.cast.actor.finish(op), AGENTD_STALE);
  EXPECT_TRUE(stage.run(stage.close()).empty());  // the threads that came back are enough to destroy it
}

TEST(Stuck, AWorkerIsReplacedAlsoWhenItsBodyBeganAfterTheCallWasGivenUp) {
  Threads stage(AGENTD_CONCURRENT, 1);
  ASSERT_TRUE(stage.opened);
  std::binary_semaphore busy(0), began(0), release(0), returned(0);
  stage.cast.actor.submit(0, [&] { busy.acquire(); });
  agentd_op abandoned = 0;
  const auto late = [&](agentd_op op) {
    abandoned = op;
    stage.cast.actor.submit(op, [&] { began.release(), release.acquire(), returned.release(); });
  };
  EXPECT_EQ(stage.call_all(1, late, 10ms)[0].status, Status::unknown_outcome);
  busy.release();
  began.acquire();
  EXPECT_EQ(stage.call_all(1, [&](agentd_op op) { stage.cast.actor.submit(op, [&, op] { stage.cast.actor.finish(op); }); }, 20s)[0].status, Status::ok);
  release.release();
  returned.acquire();
  stage.cast.actor.finish(abandoned);
}

TEST(Stuck, ASerialInstanceTakesNoCallsUntilItsBodyReturns) {
  Threads stage(0, 1);
  ASSERT_TRUE(stage.opened);
  std::binary_semaphore release(0), returned(0);
  agentd_op abandoned = 0;
  stage.call_all(1, [&](agentd_op op) {
    abandoned = op;
    stage.cast.actor.submit(op, [&] { release.acquire(), returned.release(); });
  }, 10ms);
  const auto refused = stage.call_all(1, [](agentd_op) { FAIL(); });
  EXPECT_EQ(refused[0].status, Status::retryable);
  EXPECT_NE(refused[0].value.find("still busy with a call that ignored its deadline"), std::string::npos);
  release.release();
  returned.acquire();
  stage.cast.actor.finish(abandoned);
}

TEST(Close, WaitsForBodiesThatAreStillRunning) {
  Threads stage(0);
  ASSERT_TRUE(stage.opened);
  std::atomic<bool> ended{false}, destroyed_after{false};
  stage.cast.actor.submit(0, [&] {
    std::this_thread::yield();
    ended = true;
  });
  stage.cast.actor.destroy = [&](agentd_op op) {
    destroyed_after = ended.load();
    stage.cast.actor.finish(op);
  };
  EXPECT_TRUE(stage.run(stage.close()).empty());
  EXPECT_TRUE(destroyed_after);
}

TEST(Destroy, ThatHangsLeavesTheInstance) {
  const LeftBehind on_purpose;
  Threads stage(0);
  ASSERT_TRUE(stage.opened);
  std::binary_semaphore release(0), returned(0);
  agentd_op late = 0;
  stage.cast.actor.destroy = [&](agentd_op op) { late = op, release.acquire(), returned.release(); };
  const auto left = stage.run(stage.close());
  ASSERT_EQ(left.size(), 1u);
  EXPECT_NE(left[0].find("its destroy has not ended"), std::string::npos) << left[0];
  release.release();
  returned.acquire();
  EXPECT_EQ(stage.cast.actor.finish(late), AGENTD_STALE);
}

}  // namespace
}  // namespace agentd::plugin::test
