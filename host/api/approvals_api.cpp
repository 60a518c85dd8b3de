#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <ranges>

#include "host/api/endpoints.hpp"
#include "host/api/json.hpp"
#include "host/api/page.hpp"
#include "host/api/problem.hpp"
#include "host/api/said.hpp"

namespace agentd::api {
namespace {

std::string text_of(const run::CallPlace& call) { return call_id(call.run, call.step, call.index); }

// As the model's answer that asks for the call has it; null: it is not to be found there.
Json effect_of(const std::vector<port::StoredRecord>& records, const event::Question& question) {
  for (const auto& record : records) {
    if (record.kind != event::Answered::kKind) continue;
    const auto decoded = event::decode(record.kind, record.payload);
    const auto* answered = decoded ? std::get_if<event::Answered>(&decoded->body) : nullptr;
    const auto index = static_cast<std::size_t>(question.index);
    if (answered && answered->step == question.step && index < answered->calls.size()) return port::name(answered->calls[index].effect);
  }
  return {};
}

Json approval_view(const std::vector<port::StoredRecord>& records, const run::Asked& asked) {
  const auto& question = asked.question;
  Json view;
  view["call_id"] = call_id(records.front().run, question.step, question.index);
  view["run_id"] = to_text(records.front().run);
  view["agent_id"] = records.front().agent_id;
  view["about"] = name(question.about);
  view["tool"] = question.tool;
  view["effect"] = effect_of(records, question);
  view["arguments"] = raw(question.arguments.text);
  view["arguments_hash"] = question.arguments_hash;
  view["step"] = question.step;
  view["requested_at"] = format_instant(asked.asked_at);
  view["expires_at"] = format_instant(asked.until);
  return view;
}

// Adds what a run asks, from `next` on; true when the page is full, and then `last` is what the next one follows.
bool add_questions(Page& page, const std::vector<port::StoredRecord>& records, const run::CallPlace& next, run::CallPlace& last) {
  for (const auto& asked : run::questions_of(records)) {
    const run::CallPlace place{next.run, asked.question.step, asked.question.index};
    if (!asked.open || place < next) continue;
    if (!page.add(approval_view(records, asked))) return true;
    last = place;
  }
  return false;
}

// The oldest run first; cursor is the last call of the page before.
Async<Answer> list_approvals(Context& context, Request request) {
  const auto limit = limit_of(request, 50, 1000);
  if (!limit) co_return problem(400, "limit is a number from 1 to 1000");
  run::CallPlace last;
  if (const auto cursor = request.parameter("cursor"); !cursor.empty()) {
    const auto place = run::parse_call_id(cursor);
    if (!place) co_return problem(400, "cursor is what `next` said");
    last = *place;
  }
  const auto agent = request.parameter("agent");
  const auto& open = context.journal.approvals().open();
  Page page("approvals", *limit);
  RunId seen;
  for (auto next = open.upper_bound(last); next != open.end(); next = open.upper_bound({seen, INT32_MAX, INT32_MAX})) {
    const auto place = *next;
    seen = place.run;
    const auto records = co_await context.ledger.load(seen);
    if (!records && records.error().fault != port::LedgerFault::corrupt) co_return ledger_problem(records.error());
    if (!records || (!agent.empty() && records->front().agent_id != agent)) continue;
    if (add_questions(page, *records, place, last)) co_return page.answer(text_of(last));
    co_await give_way(context.world.executor);
  }
  co_return page.answer(nullptr);
}

Document no_call_id(const std::string& call) { return problem(404, "\"" + call + "\" is not the id of a call, which is run/step/index"); }

// The latest that was asked about a call, also when it is decided: whoever comes late sees by whom.
Async<Answer> show_approval(Context& context, std::string call) {
  const auto place = run::parse_call_id(call);
  if (!place) co_return no_call_id(call);
  const auto records = co_await context.ledger.load(place->run);
  if (!records && records.error().fault == port::LedgerFault::not_found) co_return problem(404, "call " + call + ": there is no such run");
  if (!records) co_return ledger_problem(records.error());
  const auto all = run::questions_of(*records);
  const auto is_it = [&place](const run::Asked& asked) { return asked.question.step == place->step && asked.question.index == place->index; };
  const auto found = std::ranges::find_if(all.rbegin(), all.rend(), is_it);
  if (found == all.rend()) co_return problem(404, "call " + call + ": nobody was asked about such a call");
  auto view = approval_view(*records, *found);
  const auto& decision = found->decision;
  view["is_open"] = found->open;
  view["decision"] = decision ? Json(event::name(decision->what)) : Json();
  view["by"] = decision ? text_or_null(decision->by) : Json();
  view["reason"] = decision ? text_or_null(decision->reason) : Json();
  view["decided_at"] = decision ? Json(format_instant(found->decided_at)) : Json();
  co_return document(view);
}

std::variant<run::Word, Document> read_word(const Request& request) {
  auto read = read_said(request, std::array{kReason, kBy, Sayable{"arguments_hash", 256}});
  if (auto* wrong = std::get_if<Document>(&read)) return std::move(*wrong);
  auto said = std::get<Said>(std::move(read));
  return run::Word{.by = std::move(said["by"]), .reason = std::move(said["reason"]), .arguments_hash = std::move(said["arguments_hash"])};
}

Document refused(const std::string& call, const run::NoDecision& no) {
  using Why = run::NoDecision::Why;
  const int status = no.why == Why::unknown ? 404 : no.why == Why::busy ? 503 : 409;
  auto answer = problem(status, "call " + call + ": " + no.message);
  if (status == 503) answer.headers.emplace_back("Retry-After", "1");
  return answer;
}

Async<Answer> decide(Context& context, Request request, std::string call, bool approve) {
  if (context.draining) co_return problem(503, "the host is stopping");
  const auto place = run::parse_call_id(call);
  if (!place) co_return no_call_id(call);
  auto read = read_word(request);
  if (auto* wrong = std::get_if<Document>(&read)) co_return std::move(*wrong);
  auto word = std::get<run::Word>(std::move(read));
  word.approve = approve;
  auto deciding = context.decisions.decide(*place, std::move(word));
  const auto decided = co_await std::move(deciding);
  if (!decided) co_return refused(call, decided.error());
  const auto& decision = *decided->decision;
  co_return document({{"call_id", text_of(*place)},
                      {"run_id", to_text(place->run)},
                      {"tool", decision.question.tool},
                      {"decision", event::name(decision.what)},
                      {"by", text_or_null(decision.by)},
                      {"reason", text_or_null(decision.reason)},
                      {"decided_at", format_instant(decided->decided_at)}});
}

std::string call_in_path(const Request& request) { return request.capture("run") + "/" + request.capture("step") + "/" + request.capture("index"); }

}  // namespace

// A call's id holds slashes: it is taken percent-encoded and as it is.
void add_approvals(Routes& routes, Context& context) {
  routes.add("GET", "/v1/approvals", [&context](Request r) { return list_approvals(context, std::move(r)); }).reading({"agent", "limit", "cursor"});
  routes.add("GET", "/v1/approvals/{call_id}", [&context](Request r) { return show_approval(context, r.capture("call_id")); });
  routes.add("GET", "/v1/approvals/{run}/{step}/{index}", [&context](Request r) { return show_approval(context, call_in_path(r)); });
  for (const bool approve : {true, false}) {
    const std::string verb = approve ? "/approve" : "/deny";
    routes.add("POST", "/v1/approvals/{call_id}" + verb, [&context, approve](Request r) {
      auto call = r.capture("call_id");
      return decide(context, std::move(r), std::move(call), approve);
    });
    routes.add("POST", "/v1/approvals/{run}/{step}/{index}" + verb, [&context, approve](Request r) {
      auto call = call_in_path(r);
      return decide(context, std::move(r), std::move(call), approve);
    });
  }
}

}  // namespace agentd::api
