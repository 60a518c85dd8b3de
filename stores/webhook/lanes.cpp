#include "lanes.hpp"

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>

namespace agentd::webhook {
namespace {

// Where answers arrive, from threads of the host.
struct Mailbox {
  std::mutex mutex;
  std::condition_variable arrived;
  std::deque<std::pair<std::size_t, sdk::HttpResult>> answers;

  void put(std::size_t lane, sdk::HttpResult result) {
    const std::lock_guard lock(mutex);
    answers.emplace_back(lane, std::move(result));
    arrived.notify_all();
  }
  std::pair<std::size_t, sdk::HttpResult> take() {
    std::unique_lock lock(mutex);
    arrived.wait(lock, [this] { return !answers.empty(); });
    auto answer = std::move(answers.front());
    answers.pop_front();
    return answer;
  }
};

}  // namespace

void Lanes::run(const sdk::Host& host, std::vector<Lane>& lanes, std::size_t parallel, Work& work) {
  const auto mailbox = std::make_shared<Mailbox>();
  std::size_t under_way = 0;
  const auto begin = [&](std::size_t at) {
    try {
      sdk::send(host, 0, work.request(at), [mailbox, at](sdk::HttpResult result) { mailbox->put(at, std::move(result)); });
    } catch (const sdk::Error& e) {
      mailbox->put(at, e);
    }
    lanes[at].is_under_way = true;
    ++under_way;
  };
  while (true) {
    for (std::size_t at = 0; at < lanes.size() && under_way < parallel && work.may_begin(); ++at)
      if (lanes[at].left > 0 && !lanes[at].is_under_way && !lanes[at].is_stopped) begin(at);
    if (under_way == 0) return;
    auto [at, result] = mailbox->take();
    --under_way;
    lanes[at].is_under_way = false;
    if (work.end(at, std::move(result))) --lanes[at].left;
    else lanes[at].is_stopped = true;
  }
}

}  // namespace agentd::webhook
