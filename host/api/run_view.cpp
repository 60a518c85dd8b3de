#include "host/api/run_view.hpp"

#include "core/base/json_text.hpp"
#include "core/budget/limits.hpp"
#include "core/event/expand.hpp"
#include "core/run/state.hpp"

namespace agentd::api {
namespace {

using event::Answered;
using event::CallFailed;
using event::Decided;
using event::Ended;
using event::Entered;
using event::Released;
using event::Reviewed;
using event::Started;
using event::ToolFinished;
using event::Waiting;

struct Read {
  const port::StoredRecord& record;
  event::Decoded decoded;
};

std::vector<Read> read_all(std::span<const port::StoredRecord> records) {
  std::vector<Read> all;
  for (const auto& record : records)
    if (auto decoded = event::decode(record.kind, record.payload)) all.push_back({record, std::move(*decoded)});
  return all;
}

// difference: null where there is none, or none yet.
Json replay_view(const event::Replay& replay) {
  return {{"of", replay.of},       {"from_step", replay.from_step}, {"provider", text_or_null(replay.provider)}, {"model", text_or_null(replay.model)},
          {"live", replay.live}, {"difference", nullptr}};
}

Json difference_view(const event::Difference& difference) {
  return {{"step", difference.step}, {"what", name(difference.what)}, {"recorded", raw(difference.recorded.text)}, {"replayed", raw(difference.replayed.text)}};
}

// Folds the records into the view's members; what may be long is only pointed at.
struct Fold {
  Json view;
  event::Totals totals;
  std::string_view query, params, result;

  void operator()(const port::StoredRecord& record, const Entered& entered) {
    view["status"] = name(record.status);
    view["trigger"] = entered.trigger;
    view["scheduled_at"] = instant(entered.scheduled_at);
    view["queued_at"] = format_instant(record.at);
    view["key"] = text_or_null(entered.key);
    query = entered.query;
    params = entered.params.text;
    if (port::is_final(record.status)) view["reason"] = event::reason(entered, record.status);
    if (entered.count > 0) {  // one row for a stretch of slots
      view["count"] = entered.count;
      view["first"] = instant(entered.first);
      view["last"] = instant(entered.last);
    }
    if (!entered.session.empty()) view["session_id"] = entered.session;
    if (entered.replay) view["replay"] = replay_view(*entered.replay);
    if (entered.digest) view["digest"] = {{"what", name(entered.digest->what)}, {"of", entered.digest->of}};
  }
  void operator()(const port::StoredRecord& record, const Started& started) {
    view["status"] = "running";
    view["attempt"] = started.attempt;
    waits_no_more();
    if (view["started_at"].is_null()) view["started_at"] = format_instant(record.at);
    if (!started.query.empty()) query = started.query;
    if (started.params) params = started.params.text;
    if (started.unsure) budget::add_unknown(totals);
  }
  void operator()(const port::StoredRecord&, const Answered& answered) {
    view["steps"] = answered.step;
    budget::add(totals, answered);
  }
  void operator()(const port::StoredRecord&, const ToolFinished&) {}
  void operator()(const port::StoredRecord&, const CallFailed& failed) {
    budget::add(totals, failed);
    set_fault(failed.fault);
  }
  void operator()(const port::StoredRecord&, const Waiting& waiting) {
    view["status"] = "waiting";
    view["waiting_for"] = event::name(waiting.what);
    view["waiting_until"] = format_instant(waiting.until);
    if (waiting.fault) set_fault(*waiting.fault);
    if (waiting.unsure) budget::add_unknown(totals);
  }
  void operator()(const port::StoredRecord&, const Released& released) {
    view["status"] = "queued";
    if (released.unsure) budget::add_unknown(totals);
  }
  void operator()(const port::StoredRecord&, const Decided& decided) {
    if (!decided.resumes) return;
    view["status"] = "queued";
    waits_no_more();
  }
  void operator()(const port::StoredRecord& record, const Ended& ended) {
    view["status"] = name(ended.status);
    waits_no_more();
    view["finished_at"] = format_instant(record.at);
    view["attempt"] = ended.attempt;
    view["steps"] = ended.steps;
    view["duration_ms"] = ended.duration_ms;
    result = ended.result_json();
    view["error"] = nullptr;
    view["error_class"] = nullptr;
    if (ended.fault) set_fault(*ended.fault);
    if (!ended.reason.empty()) view["reason"] = ended.reason;
    if (ended.difference && view.contains("replay")) view["replay"]["difference"] = difference_view(*ended.difference);
    totals = ended.totals;
    const bool has_run = ended.duration_ms > 0 || ended.status == port::RunStatus::completed ||
                         ended.status == port::RunStatus::failed || ended.status == port::RunStatus::timed_out;
    if (has_run && view["started_at"].is_null()) view["started_at"] = format_instant(record.at - Millis(ended.duration_ms));
  }
  void operator()(const port::StoredRecord& record, const Reviewed& reviewed) {
    if (reviewed.what == Reviewed::What::edit) {
      query = reviewed.query;
      params = reviewed.params.text;
    } else if (reviewed.what == Reviewed::What::drop) {
      view["status"] = "dropped";
      view["dropped_at"] = format_instant(record.at);
      view["dropped_by"] = text_or_null(reviewed.by);
    } else {
      view["status"] = "queued";
      for (const auto* member : {"finished_at", "error", "error_class"}) view[member] = nullptr;
      view.erase("reason");
      result = {};
    }
  }
  template <class Other>
  void operator()(const port::StoredRecord&, const Other&) {}

  void waits_no_more() {
    view["waiting_for"] = nullptr;
    view.erase("waiting_until");
  }
  void set_fault(const event::Fault& fault) {
    view["error"] = fault.message;
    view["error_class"] = name(fault.error_class);
  }
};

Json usage_view(const std::optional<port::Usage>& usage) {
  if (!usage) return {};
  const auto known = [](std::int64_t n) { return n < 0 ? Json() : Json(n); };
  return {{"input_tokens", known(usage->input_tokens)},
          {"output_tokens", known(usage->output_tokens)},
          {"cache_read_tokens", known(usage->cache_read_tokens)},
          {"cache_write_tokens", known(usage->cache_write_tokens)},
          {"reasoning_tokens", known(usage->reasoning_tokens)}};
}

constexpr std::size_t kLongest = 1000;  // bytes of a text in a list

// A JSON text; null where it is long and cannot be cut.
Json cut(std::string_view json) {
  if (json.size() <= kLongest) return raw(json);
  const auto text = event::string_value(json);
  return text ? Json(std::string(clip_utf8(*text, kLongest))) : Json();
}

Json cut(const Json& text) {
  if (!text.is_string() || text.get_ref<const std::string&>().size() <= kLongest) return text;
  return std::string(clip_utf8(text.get_ref<const std::string&>(), kLongest)) + "...";
}

// Every member in its order, whatever the records say.
void begin(Fold& fold, const port::StoredRecord& entry) {
  for (const auto* member : {"run_id", "agent_id", "session_id", "status", "waiting_for", "trigger", "scheduled_at", "queued_at",
                             "started_at", "finished_at"})
    fold.view[member] = nullptr;
  fold.view["run_id"] = to_text(entry.run);
  fold.view["agent_id"] = entry.agent_id;
  fold.view["session_id"] = entry.agent_id;
  fold.view["attempt"] = 1;
  fold.view["steps"] = 0;
  for (const auto* member : {"query", "params", "result", "error", "error_class", "usage", "key"}) fold.view[member] = nullptr;
}

void go_over(Fold& fold, const std::vector<Read>& records) {
  for (const auto& [record, decoded] : records) {
    std::visit([&](const auto& body) { fold(record, body); }, decoded.body);
    if (!decoded.session.empty()) fold.view["session_id"] = decoded.session;
  }
  fold.view["usage"] = raw(event::usage_json(fold.totals));
}

}  // namespace

Json run_view(std::span<const port::StoredRecord> records) {
  if (records.empty()) return {};
  const auto all = read_all(records);
  Fold fold;
  begin(fold, records.front());
  go_over(fold, all);
  fold.view["query"] = text_or_null(std::string(fold.query));
  fold.view["params"] = raw(fold.params);
  fold.view["result"] = raw(fold.result);
  return std::move(fold.view);
}

Json run_summary(std::span<const port::StoredRecord> records) {
  if (records.empty()) return {};
  const auto all = read_all(records);
  Fold fold;
  begin(fold, records.front());
  go_over(fold, all);
  auto& view = fold.view;
  view.erase("query");
  view.erase("params");
  Json shortened = Json::array();
  view["result"] = cut(fold.result);
  if (fold.result.size() > kLongest) shortened.push_back("result");
  for (const auto* member : {"error", "reason"}) {
    const auto found = view.find(member);
    if (found == view.end()) continue;
    auto shorter = cut(*found);
    if (shorter == *found) continue;
    *found = std::move(shorter);
    shortened.push_back(member);
  }
  if (const auto replay = view.find("replay"); replay != view.end() && !(*replay)["difference"].is_null())
    for (const auto* side : {"recorded", "replayed"}) (*replay)["difference"].erase(side);
  view["shortened"] = std::move(shortened);
  return std::move(view);
}

void StepsReader::model(const port::StoredRecord& record, const Answered& answered) {
  Json calls = Json::array();
  for (std::size_t i = 0; i < answered.calls.size(); ++i) {
    const auto& call = answered.calls[i];
    calls.push_back({{"call_id", run_ + "/" + std::to_string(answered.step) + "/" + std::to_string(i)},
                     {"tool", call.tool},
                     {"arguments", raw(call.arguments.text)}});
  }
  auto text = raw(answered.text.text);
  Json line;
  line["step"] = answered.step;
  line["kind"] = "model";
  line["name"] = answered.provider + "/" + answered.model;
  line["outcome"] = "ok";
  line["finish_reason"] = name(answered.finish_reason);
  line["finished_at"] = format_instant(record.at);
  line["duration_ms"] = answered.duration_ms;
  line["usage"] = usage_view(answered.usage);
  line["cost"] = static_cast<double>(answered.cost) / 1e9;
  line["detail"] =
      !calls.empty() ? Json(std::to_string(calls.size()) + (calls.size() == 1 ? " tool call" : " tool calls")) : cut(text);
  line["text"] = std::move(text);
  line["calls"] = std::move(calls);
  lines_.push_back(std::move(line));
  for (std::size_t i = 0; i < answered.calls.size(); ++i) {
    const auto& call = answered.calls[i];
    asked_[{answered.step, static_cast<int>(i)}] = call;
    if (call.refused)
      tool(record, {.step = answered.step,
                    .index = static_cast<int>(i),
                    .tool = call.tool,
                    .effect = call.effect,
                    .outcome = *call.refused,
                    .content = call.content,
                    .whole = {},
                    .starts = {},
                    .call = {}});
    if (call.recorded) lines_.back()["recorded"] = true;
  }
}

void StepsReader::tool(const port::StoredRecord& record, const ToolFinished& finished) {
  auto content = raw(finished.content.text);
  Json line;
  line["step"] = finished.step;
  line["kind"] = "tool";
  line["call_id"] = run_ + "/" + std::to_string(finished.step) + "/" + std::to_string(finished.index);
  line["name"] = finished.tool;
  line["effect"] = name(finished.effect);
  line["outcome"] = event::name(finished.outcome);
  line["finished_at"] = format_instant(record.at);
  line["duration_ms"] = finished.duration_ms;
  const auto call = asked_.find({finished.step, finished.index});
  line["arguments"] = call == asked_.end() ? Json() : raw(call->second.arguments.text);
  line["detail"] = cut(content);
  line["content"] = std::move(content);
  lines_.push_back(std::move(line));
}

void StepsReader::failed(const port::StoredRecord& record, const CallFailed& failure) {
  Json line;
  line["step"] = failure.step;
  line["kind"] = "model";
  line["name"] = failure.provider + "/" + failure.model;
  line["outcome"] = "error";
  line["finished_at"] = format_instant(record.at);
  line["duration_ms"] = failure.duration_ms;
  line["error_class"] = name(failure.fault.error_class);
  line["detail"] = failure.fault.message;
  lines_.push_back(std::move(line));
}

void StepsReader::lost(const port::StoredRecord& record, const std::optional<event::ModelCall>& call, const char* why) {
  if (!call) return;
  Json line;
  line["step"] = call->step;
  line["kind"] = "model";
  line["name"] = call->provider + "/" + call->model;
  line["outcome"] = "unknown";
  line["finished_at"] = format_instant(record.at);
  line["duration_ms"] = nullptr;
  line["usage"] = nullptr;
  line["detail"] = std::string("cut off: ") + why + " before its answer was kept; what it used is unknown, so a limit of the day counts the most that it could come to";
  lines_.push_back(std::move(line));
}

void StepsReader::decided(const port::StoredRecord& record, const Decided& decision) {
  const auto& question = decision.question;
  Json line;
  line["step"] = question.step;
  line["kind"] = "approval";
  line["call_id"] = run_ + "/" + std::to_string(question.step) + "/" + std::to_string(question.index);
  line["name"] = question.tool;
  line["about"] = name(question.about);
  line["outcome"] = event::name(decision.what);
  line["finished_at"] = format_instant(record.at);
  line["by"] = text_or_null(decision.by);
  line["detail"] = decision.by + (decision.by.empty() || decision.reason.empty() ? "" : ": ") + decision.reason;
  lines_.push_back(std::move(line));
}

Json StepsReader::read(const port::StoredRecord& record) {
  lines_ = Json::array();
  const auto decoded = event::decode(record.kind, record.payload);
  if (!decoded) return std::move(lines_);
  if (const auto* answered = std::get_if<Answered>(&decoded->body)) model(record, *answered);
  if (const auto* finished = std::get_if<ToolFinished>(&decoded->body)) tool(record, *finished);
  if (const auto* failure = std::get_if<CallFailed>(&decoded->body)) failed(record, *failure);
  if (const auto* decision = std::get_if<Decided>(&decoded->body)) decided(record, *decision);
  if (const auto* started = std::get_if<Started>(&decoded->body)) lost(record, started->unsure, "the host ended");
  if (const auto* waiting = std::get_if<Waiting>(&decoded->body)) lost(record, waiting->unsure, "it was stopped");
  if (const auto* released = std::get_if<Released>(&decoded->body)) lost(record, released->unsure, "it was stopped");
  if (const auto* ended = std::get_if<Ended>(&decoded->body)) {
    lost(record, ended->unsure, "it was stopped");
    if (ended->answer) model(record, *ended->answer);
  }
  return std::move(lines_);
}

Json steps_view(std::span<const port::StoredRecord> records) {
  Json all = Json::array();
  if (records.empty()) return all;
  StepsReader reader(records.front().run);
  for (const auto& record : records)
    for (auto& line : reader.read(record)) all.push_back(std::move(line));
  return all;
}

bool has_ended(std::span<const port::StoredRecord> records) { return run::has_ended(records); }

}  // namespace agentd::api
