#include "host/together.hpp"

namespace agentd::host {
namespace {

struct Waiting {
  std::size_t left = 0;
  std::optional<Promise<bool>> promise;
};

Async<void> count_down(Async<void> story, Waiting& waiting) {
  co_await std::move(story);
  if (--waiting.left == 0) waiting.promise->set(true);
}

}  // namespace

Async<void> together(std::vector<Async<void>> stories) {
  if (stories.empty()) co_return;
  const auto executor = co_await boost::asio::this_coro::executor;
  Waiting waiting{.left = stories.size(), .promise = {}};
  auto start = [&](Promise<bool> promise) {
    waiting.promise.emplace(std::move(promise));
    for (auto& story : stories) spawn(executor, count_down(std::move(story), waiting));
  };
  auto all = suspend<bool>(start);
  co_await std::move(all);
}

}  // namespace agentd::host
