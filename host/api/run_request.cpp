#include "host/api/run_request.hpp"

#include <nlohmann/json.hpp>

#include "core/base/name_text.hpp"
#include "core/event/trace_context.hpp"
#include "core/tool/strict_json.hpp"
#include "host/api/problem.hpp"

namespace agentd::api {
namespace {

constexpr std::size_t kLongestKey = 256;

class Reader {
 public:
  explicit Reader(const std::string& agent_id) : agent_id_(agent_id) {}

  std::variant<RunRequest, Document> read(const Request& request) {
    if (!request.body.empty() && !parse(request.body)) return problem(400, "the body cannot be read as a JSON object", errors_);
    text("query", asked_.entered.query, 256 << 10);
    name("key", asked_.entered.key);
    name("session_id", asked_.entered.session);
    params();
    wait();
    for (const auto& [member, value] : body_.items())
      if (member != "query" && member != "key" && member != "session_id" && member != "params" && member != "wait")
        wrong(member, "is not known here; known are query, params, key, session_id, wait");
    idempotency_key(request.header("idempotency-key"));
    if (asked_.entered.key.starts_with(agent_id_ + "@"))
      wrong("key", "begins like the keys of the agent's own slots; choose another");
    if (asked_.entered.key.starts_with("retry:")) wrong("key", "begins like the keys of retries; choose another");
    if (asked_.entered.key.starts_with("replay:")) wrong("key", "begins like the keys of replays; choose another");
    if (asked_.entered.key.starts_with("memory:")) wrong("key", "begins like the keys of runs for memory; choose another");
    if (asked_.entered.session.starts_with("summary/")) wrong("session_id", "begins like the sessions that hold summaries; choose another");
    if (asked_.entered.key.starts_with("batch:")) wrong("key", "begins like the keys of batches' items; choose another");
    for (const auto* trigger : {"webhook:", "agent:", "file:", "start:"})
      if (asked_.entered.key.starts_with(trigger)) wrong("key", "begins like the keys of what triggers start; choose another");
    if (!errors_.empty()) return problem(422, "the request for a run cannot be understood", errors_);
    asked_.entered.trigger = "api";
    asked_.entered.traceparent = event::read_traceparent(request.header("traceparent"));
    return std::move(asked_);
  }

 private:
  bool parse(const std::string& text) {
    auto parsed = tool::parse_strict(text);
    if (!parsed)
      errors_.push_back({"", "is " + parsed.error().message});
    else if (!parsed->is_object())
      errors_.push_back({"", "write an object: {\"query\": \"...\"}"});
    else
      body_ = std::move(*parsed);
    return errors_.empty();
  }

  void wrong(const std::string& member, std::string detail) { errors_.push_back({pointer_to(member), std::move(detail)}); }

  void text(const std::string& member, std::string& to, std::size_t longest) {
    const auto found = body_.find(member);
    if (found == body_.end() || found->is_null()) return;
    if (!found->is_string()) return wrong(member, "is a string");
    to = found->get<std::string>();
    if (to.size() > longest) wrong(member, "is longer than " + std::to_string(longest) + " bytes");
  }
  void name(const std::string& member, std::string& to) {
    text(member, to, kLongestKey);
    if (const auto unfit = unfit_for_a_name(to); !unfit.empty()) wrong(member, std::string(unfit));
  }

  // A key of the body has precedence, but no header is wrong in silence.
  void idempotency_key(const std::string& header) {
    if (header.size() > kLongestKey)
      return wrong("key", "Idempotency-Key is longer than " + std::to_string(kLongestKey) + " bytes");
    if (const auto unfit = unfit_for_a_name(header); !unfit.empty()) return wrong("key", "Idempotency-Key " + std::string(unfit));
    if (asked_.entered.key.empty()) asked_.entered.key = header;
  }

  void params() {
    const auto found = body_.find("params");
    if (found == body_.end() || found->is_null()) return;
    if (!found->is_object()) return wrong("params", "is an object");
    asked_.entered.params.text = found->dump();
  }

  void wait() {
    const auto found = body_.find("wait");
    if (found == body_.end() || found->is_null()) return;
    if (!found->is_number() || found->get<double>() < 0) return wrong("wait", "is a number of seconds");
    asked_.wait = Millis(static_cast<std::int64_t>(std::min<double>(found->get<double>(), kLongestWait) * 1000));
  }

  const std::string& agent_id_;
  nlohmann::json body_ = nlohmann::json::object();
  RunRequest asked_;
  std::vector<InputError> errors_;
};

}  // namespace

std::variant<RunRequest, Document> read_run_request(const std::string& agent_id, const Request& request) {
  return Reader(agent_id).read(request);
}

}  // namespace agentd::api
