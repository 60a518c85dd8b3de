#include "host/plugin_watch.hpp"

#include <algorithm>
#include <chrono>

namespace agentd::host {

PluginWatch::PluginWatch(Ground ground)
    : ground_(std::move(ground)),
      watch_(ground_.world, [this](const std::string&, std::string_view name) { if (name.empty() || name.ends_with(".so")) arm(); },
             [this](const std::string& why) { ground_.log.warn("plugins", why); }, kPoll, true) {}

void PluginWatch::start() {
  watch_.open();
  for (const auto& folder : ground_.folders) watch_.add(folder.string());
}

Async<void> PluginWatch::stop() {
  stopping_.request_stop();
  watch_.stop();
  ground_.world.timers.cancel(std::exchange(timer_, 0));
  while (looking_ > 0) co_await sleep(ground_.world.timers, Millis(1), {});
}

// Not before it has been quiet for a while: several files are often installed together, and one that is half written is none. One that
// is never quiet does not keep the others out.
void PluginWatch::arm() {
  if (stopping_.stop_requested()) return;
  const auto now = ground_.world.clock.tick();
  if (timer_ == 0) unsettled_since_ = now;
  ground_.world.timers.cancel(std::exchange(timer_, 0));
  const auto left = std::chrono::ceil<Millis>(unsettled_since_ + kSettleAtMost - now);
  timer_ = ground_.world.timers.after(std::clamp(left, Millis(0), kSettle), [this] {
    timer_ = 0;
    ++looking_;
    spawn(ground_.world.executor, look());
  });
}

Async<void> PluginWatch::look() {
  const auto turn = co_await ground_.fleet.turn();
  if (!stopping_.stop_requested()) {
    auto loading = ground_.ports.load_new();
    auto news = co_await std::move(loading);
    const bool any = !news.loaded.empty();
    for (const auto& key : news.needs_restart) ground_.log.warn("plugins", key + " waited for a plugin that has come: that takes a restart");
    auto recording = ground_.engine.record(std::move(news));
    co_await std::move(recording);
    tell_outdated();
    if (any) {
      ground_.engine.roster().prepare_anew();
      ground_.loaded();
    }
  }
  --looking_;
}

void PluginWatch::tell_outdated() {
  auto now = ground_.ports.catalog().outdated();
  for (const auto& each : now)
    if (std::ranges::find(told_, each) == told_.end()) ground_.log.warn("plugins", each.file.string() + (each.is_gone ? " is gone" : " has changed") + ": that takes a restart, until then what was loaded stays");
  told_ = std::move(now);
}

}  // namespace agentd::host
