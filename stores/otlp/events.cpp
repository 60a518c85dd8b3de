#include "events.hpp"

#include <agentd/sdk/json.hpp>

#include "stores/http/address.hpp"
#include "stores/http/answer.hpp"
#include "stores/text/event_id.hpp"
#include "trace_json.hpp"

namespace agentd::otlp {
namespace {

std::string counted(std::size_t spans) { return std::to_string(spans) + (spans == 1 ? " span" : " spans"); }

}  // namespace

Events::Events(const Settings& settings, const sdk::Host& host) : settings_(settings), host_(host) { check(settings); }

void Events::append(const sdk::EventBatch& batch) {
  for (const auto& event : batch) {
    if (!stores::is_before(last_, event.id)) continue;  // a batch that comes again: its spans are made already
    if (auto span = spans_.of(event)) unsent_.push_back(std::move(*span));
    last_ = event.id;
  }
  if (unsent_.empty()) return;
  send(unsent_);
  unsent_.clear();
}

// What is tried again and what is not: https://opentelemetry.io/docs/specs/otlp/#otlphttp-response. Where the address or a key is wrong
// it is tried again all the same: somebody will mend that.
void Events::send(const std::vector<Span>& spans) const {
  sdk::HttpRequest request{.method = "POST", .url = url_of(settings_), .headers = {{"Content-Type", "application/json"}}, .body = trace_json(spans, settings_.service_name)};
  for (const auto& [name, value] : settings_.headers) request.headers.emplace_back(name, value);
  request.timeout = settings_.timeout;
  request.max_response_bytes = 64 << 10;
  const auto response = sdk::fetch(host_, request);
  if (stores::is_success(response)) return tell_of_refused(response.body, spans.size());
  const auto said = stores::origin_of(settings_.endpoint) + " answered with " + stores::said(response);
  if (response.status == 400 || response.status == 413) return log(counted(spans.size()) + " given up: " + said);
  throw sdk::Error(said, sdk::Failure::retryable, stores::retry_after_ms(response));
}

// They must not be sent again.
void Events::tell_of_refused(const std::string& answer, std::size_t sent) const {
  const sdk::Json json(answer);
  if (!json.valid() || json.kind() != sdk::Json::Kind::object) return;
  const auto partial = json["partialSuccess"];
  if (partial.kind() != sdk::Json::Kind::object) return;
  const auto rejected = partial["rejectedSpans"];
  const auto count = rejected.kind() == sdk::Json::Kind::string ? rejected.string() : rejected ? std::string(rejected.text()) : "0";
  const auto message = partial["errorMessage"];
  if (count != "0") log(stores::origin_of(settings_.endpoint) + " refused " + count + " of " + counted(sent) + (message.kind() == sdk::Json::Kind::string ? stores::first_line(message.string()) : ""));
}

}  // namespace agentd::otlp
