#include "host/heartbeat.hpp"

#include "host/sinks/kinds.hpp"

namespace agentd::host {
namespace {

port::HttpRequest get(const SinkSettings& settings, const Message&) { return {.method = "GET", .url = settings.at("url").get<std::string>()}; }

}  // namespace

Heartbeat::Heartbeat(SinkGround ground, const port::Ledger& ledger, const std::string& url, Millis every)
    : ground_(ground), ledger_(ledger), sink_(std::move(*make_http_sink(get, {{"url", url}}, ground))), every_(every) {}

void Heartbeat::start() {
  beating_ = true;
  spawn(ground_.world.executor, beat());
}

Async<void> Heartbeat::stop() {
  stopping_.request_stop();
  while (beating_) co_await sleep(ground_.world.timers, Millis(1), {});
}

Async<void> Heartbeat::beat() {
  for (bool was_heard = true, goes_on = true; goes_on;) {
    if (ledger_.accepts()) {
      Message nothing;
      auto sending = sink_->send(std::move(nothing), stopping_.get_token());
      const auto sent = co_await std::move(sending);
      if (!sent && was_heard && !stopping_.stop_requested()) ground_.log.warn("heartbeat", "nobody hears it: " + sent.error().message);
      if (sent && !was_heard) ground_.log.info("heartbeat", "it is heard again");
      was_heard = sent.has_value();
    }
    goes_on = co_await sleep(ground_.world.timers, every_, stopping_.get_token());
  }
  beating_ = false;
}

}  // namespace agentd::host
