#include "events.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>

#include "filter.hpp"
#include "lanes.hpp"
#include "signature.hpp"
#include "stores/http/address.hpp"
#include "stores/http/answer.hpp"
#include "stores/text/event_id.hpp"
#include "stores/text/event_json.hpp"
#include "stores/text/instant.hpp"

namespace agentd::webhook {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kToSpare{500};

std::string body_of(const sdk::Event& event) {
  std::string body = R"({"type":)";
  sdk::write_string(body, event.type);
  body += R"(,"timestamp":")" + stores::instant_text(event.timestamp_ms) + R"(","data":)";
  stores::append_event_json(body, event);
  return body += '}';
}

}  // namespace

// One batch, until its time is up.
class Events::Delivery final : public Lanes::Work {
 public:
  Delivery(Events& store, const sdk::EventBatch& batch) : store_(store), until_(Clock::now() + batch.timeout() - kToSpare) {
    std::map<std::string_view, std::size_t> lane_of;
    for (const auto& event : batch) {
      if (!store_.is_wanted(event)) continue;
      const auto [lane, is_new] = lane_of.try_emplace(event.agent_id, events_.size());
      if (is_new) events_.emplace_back(), lanes_.emplace_back();
      events_[lane->second].push_back(&event);
      ++lanes_[lane->second].left;
    }
  }
  void run() {
    Lanes::run(store_.host_, lanes_, static_cast<std::size_t>(store_.settings_.parallel), *this);
    std::size_t left = 0;
    for (const auto& lane : lanes_) left += lane.left;
    if (left == 0) return;
    const auto missing = std::to_string(left) + (left == 1 ? " event is" : " events are") + " still to be delivered to " + stores::origin_of(store_.settings_.url);
    if (trouble_) throw sdk::Error(missing + ": " + trouble_->what(), sdk::Failure::retryable, trouble_->retry_after_ms);
    throw sdk::Error(missing + ", which takes its time", sdk::Failure::retryable, 0);
  }

 private:
  bool may_begin() override { return Clock::now() + store_.settings_.timeout.value < until_; }

  sdk::HttpRequest request(std::size_t lane) override {
    const auto& event = next(lane);
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    sdk::HttpRequest request{.method = "POST", .url = store_.settings_.url, .headers = {{"Content-Type", "application/json"}, {"webhook-id", std::string(event.id)}, {"webhook-timestamp", std::to_string(seconds)}}};
    request.body = body_of(event);
    request.timeout = store_.settings_.timeout;
    request.max_response_bytes = 64 << 10;
    if (!store_.key_.empty()) request.headers.emplace_back("webhook-signature", signature(store_.key_, event.id, seconds, request.body));
    if (!store_.settings_.token.empty()) request.headers.emplace_back("Authorization", "Bearer " + store_.settings_.token.reveal());
    return request;
  }

  bool end(std::size_t lane, sdk::HttpResult result) override {
    if (const auto* error = std::get_if<sdk::Error>(&result)) return stop(error->what(), error->retry_after_ms);
    const auto& response = std::get<sdk::HttpResponse>(result);
    const auto& event = next(lane);
    if (!stores::is_success(response) && !is_given_up(response, event)) return stop(stores::said(response), stores::retry_after_ms(response));
    store_.delivered_.emplace(event.id);
    return true;
  }

  bool is_given_up(const sdk::HttpResponse& response, const sdk::Event& event) const {
    const auto& all = store_.settings_.drop_statuses;
    if (std::ranges::find(all, response.status) == all.end()) return false;
    store_.host_.log(sdk::Level::error, "event " + std::string(event.id) + " (" + std::string(event.type) + " of " + std::string(event.agent_id) + ") is not delivered: " + stores::origin_of(store_.settings_.url) +
                                            " answered with " + stores::said(response) + "; that status is among drop_statuses");
    return true;
  }

  const sdk::Event& next(std::size_t lane) const { return *events_[lane][events_[lane].size() - lanes_[lane].left]; }
  bool stop(const std::string& why, std::int64_t after_ms) {
    if (!trouble_ || after_ms > trouble_->retry_after_ms) trouble_.emplace(why, sdk::Failure::retryable, after_ms);
    return false;
  }

  Events& store_;
  const Clock::time_point until_;
  std::vector<std::vector<const sdk::Event*>> events_;  // a lane per agent
  std::vector<Lanes::Lane> lanes_;
  std::optional<sdk::Error> trouble_;
};

Events::Events(const Settings& settings, const sdk::Host& host) : settings_(settings), host_(host), key_(settings.secret.empty() ? "" : key_of(settings.secret.reveal()).value_or("")) {
  check(settings);
}

bool Events::is_wanted(const sdk::Event& event) const {
  return stores::is_before(last_, event.id) && !delivered_.contains(std::string(event.id)) && fits(settings_.types, event.type) && fits(settings_.agents, event.agent_id);
}

void Events::append(const sdk::EventBatch& batch) {
  Delivery(*this, batch).run();
  last_ = std::max(last_, std::string(batch[batch.size() - 1].id), [](const auto& a, const auto& b) { return stores::is_before(a, b); });
  delivered_.clear();
}

}  // namespace agentd::webhook
