#include "events.hpp"

#include <agentd/sdk/json.hpp>

#include <algorithm>

#include "stores/text/event_id.hpp"
#include "trace_json.hpp"

namespace agentd::otlp {
namespace {

constexpr std::size_t kMostOfAnAnswer = 200;

std::string first_line(std::string_view body) {
  std::string line(body.substr(0, std::min(body.find_first_of("\r\n"), kMostOfAnAnswer)));
  return line.empty() ? line : ": " + line;
}

std::int64_t retry_after_ms(const sdk::HttpResponse& response) {
  const auto header = std::string(response.header("retry-after"));
  if (header.empty() || header.size() > 6 || header.find_first_not_of("0123456789") != header.npos) return -1;
  return std::min<std::int64_t>(std::stoll(header), 3600) * 1000;
}

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
  if (response.status >= 200 && response.status <= 299) return tell_of_refused(response.body, spans.size());
  const auto said = origin_of(settings_) + " answered with status " + std::to_string(response.status) + first_line(response.body);
  if (response.status == 400 || response.status == 413) return log(counted(spans.size()) + " given up: " + said);
  throw sdk::Error(said, sdk::Failure::retryable, retry_after_ms(response));
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
  if (count != "0") log(origin_of(settings_) + " refused " + count + " of " + counted(sent) + (message.kind() == sdk::Json::Kind::string ? first_line(message.string()) : ""));
}

}  // namespace agentd::otlp
