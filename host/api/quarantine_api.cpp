// Runs that were given up until a person has looked at them: what they are asked may be changed, then they begin again, or never.
#include <nlohmann/json.hpp>

#include "core/base/json_text.hpp"
#include "core/base/name_text.hpp"
#include "core/run/clean.hpp"
#include "core/run/state.hpp"
#include "core/tool/strict_json.hpp"
#include "host/api/agent_view.hpp"
#include "host/api/endpoints.hpp"
#include "host/api/page.hpp"
#include "host/api/problem.hpp"
#include "host/api/run_view.hpp"
#include "host/api/said.hpp"
#include "host/api/take_in.hpp"
#include "host/api/unknown_run.hpp"

namespace agentd::api {
namespace {

using event::Reviewed;

constexpr std::size_t kLongestReview = 4096;  // of a reason
constexpr std::size_t kLongestReviewer = 256;
constexpr std::size_t kLongestQuery = 256 << 10;

// Newest first; cursor is the last run of the page before. What is damaged is told by its claims, and left out here.
Async<Answer> list_quarantine(Context& context, Request request) {
  const auto limit = limit_of(request, 50, 1000);
  if (!limit) co_return problem(400, "limit is a number from 1 to 1000");
  std::optional<RunId> before;
  if (const auto cursor = request.parameter("cursor"); !cursor.empty()) {
    before = parse_run_id(cursor);
    if (!before) co_return problem(400, "cursor is what `next` said");
  }
  const auto agent = request.parameter("agent");
  const auto& runs = context.journal.quarantine().runs();
  Page page("quarantine", *limit);
  RunId last;
  while (true) {
    const auto next = before ? runs.lower_bound(*before) : runs.end();
    if (next == runs.begin()) co_return page.answer(nullptr);
    before = *std::prev(next);
    const auto records = co_await context.ledger.load(*before);
    const bool gone = !records && records.error().fault == port::LedgerFault::not_found;
    if (gone) context.journal.quarantine().forget(*before);
    if (!records && !gone && records.error().fault != port::LedgerFault::corrupt) co_return ledger_problem(records.error());
    if (!records || (!agent.empty() && records->front().agent_id != agent)) continue;
    if (!page.add(run_summary(*records))) co_return page.answer(to_text(last));
    last = *before;
    co_await give_way(context.world.executor);
  }
}

// What a person says: {"by", "reason"}, and of an edit {"query", "params"} too. A member that is null takes away what was asked,
// so that the manifest's is asked; one that is left out leaves it.
class ReviewReader {
 public:
  ReviewReader(Reviewed::What what, const event::Entered& asked) {
    review_ = {what, {}, {}, {}, {}}, query_ = asked.query, params_ = asked.params;
  }

  std::variant<Reviewed, Document> read(const Request& request) {
    const bool edits = review_.what == Reviewed::What::edit;
    if (!request.body.empty() && !parse(request.body)) return problem(400, "the body cannot be read as a JSON object", errors_);
    text("by", review_.by, kLongestReviewer);
    text("reason", review_.reason, kLongestReview);
    if (const auto unfit = unfit_for_a_name(review_.by); !unfit.empty()) wrong("by", std::string(unfit));
    if (edits) {
      text("query", query_, kLongestQuery);
      params();
      if (!body_.contains("query") && !body_.contains("params"))
        errors_.push_back({"", "says neither query nor params: there is nothing to change"});
      review_.query = std::move(query_);
      review_.params = std::move(params_);
    }
    for (const auto& [member, value] : body_.items())
      if (member != "by" && member != "reason" && !(edits && (member == "query" || member == "params")))
        wrong(member, std::string("is not known here; known are ") + (edits ? "query, params, by, reason" : "by, reason"));
    if (!errors_.empty()) return problem(422, "the request cannot be understood", errors_);
    review_.by = signed_by(request, std::move(review_.by));
    return std::move(review_);
  }

 private:
  bool parse(const std::string& text) {
    auto parsed = tool::parse_strict(text);
    if (!parsed)
      errors_.push_back({"", "is " + parsed.error().message});
    else if (!parsed->is_object())
      errors_.push_back({"", "write an object: {\"by\": \"...\"}"});
    else
      body_ = std::move(*parsed);
    return errors_.empty();
  }
  void wrong(const std::string& member, std::string detail) { errors_.push_back({pointer_to(member), std::move(detail)}); }

  void text(const std::string& member, std::string& to, std::size_t longest) {
    const auto found = body_.find(member);
    if (found == body_.end()) return;
    if (!found->is_null() && !found->is_string()) return wrong(member, "is a string");
    to = found->is_null() ? std::string() : found->get<std::string>();
    if (to.size() > longest) wrong(member, "is longer than " + std::to_string(longest) + " bytes");
  }
  void params() {
    const auto found = body_.find("params");
    if (found == body_.end()) return;
    if (!found->is_null() && !found->is_object()) return wrong("params", "is an object");
    params_.text = found->is_null() ? std::string() : found->dump();
  }

  Reviewed review_;
  std::string query_;
  event::Json params_;
  nlohmann::json body_ = nlohmann::json::object();
  std::vector<InputError> errors_;
};

// A click that comes late finds another latest record than the one it was made upon, and is refused.
Async<Answer> review(Context& context, Request request, Reviewed::What what) {
  if (context.draining) co_return problem(503, "the host is stopping");
  const auto id = request.capture("run_id");
  const auto run = parse_run_id(id);
  if (!run) co_return co_await unknown_run(context, id);
  const auto records = co_await context.ledger.load(*run);
  if (!records && records.error().fault == port::LedgerFault::not_found) co_return co_await unknown_run(context, id);
  if (!records) co_return ledger_problem(records.error());
  const auto state = run::fold(*records);
  if (!state) co_return problem(500, state.error().message);
  const auto is_not = [&id](const std::vector<port::StoredRecord>& now) {
    const auto status = run_summary(now)["status"].get<std::string>();
    return problem(409, "run " + id + " is not in quarantine: it is " + status);
  };
  if (!context.journal.quarantine().runs().contains(*run)) co_return is_not(*records);
  if (what == Reviewed::What::retry) {
    const auto member = context.roster.find(records->front().agent_id);
    if (!member) co_return unknown_agent(context, records->front().agent_id);
    if (auto not_now = refusal(context, *member)) co_return std::move(*not_now);
  }
  auto read = ReviewReader(what, state->entry).read(request);
  if (auto* wrong = std::get_if<Document>(&read)) co_return std::move(*wrong);
  event::Body reviewed = std::get<Reviewed>(std::move(read));
  run::clean_faults(context.ports.cleaner(), reviewed);
  auto transition = host::review(*run, records->back().position, std::get<Reviewed>(reviewed), state->session, context.world.clock.now());
  const auto committed = co_await context.ledger.commit(std::move(transition));
  const bool late = !committed && committed.error().fault == port::LedgerFault::stale;
  if (!committed && !late) co_return ledger_problem(committed.error());
  const auto now = co_await context.ledger.load(*run);
  if (!now) co_return ledger_problem(now.error());
  if (late && context.journal.quarantine().runs().contains(*run))
    co_return problem(409, "run " + id + " has just been changed by somebody else; look at it again");
  if (late) co_return is_not(*now);
  co_return document(run_view(*now), what == Reviewed::What::retry ? 202 : 200);
}

}  // namespace

void add_quarantine(Routes& routes, Context& context) {
  routes.add("GET", "/v1/quarantine", [&context](Request r) { return list_quarantine(context, std::move(r)); }).reading({"agent", "limit", "cursor"});
  routes.add("PATCH", "/v1/quarantine/{run_id}",
             [&context](Request r) { return review(context, std::move(r), Reviewed::What::edit); });
  routes.add("POST", "/v1/quarantine/{run_id}/retry",
             [&context](Request r) { return review(context, std::move(r), Reviewed::What::retry); });
  routes.add("POST", "/v1/quarantine/{run_id}/drop",
             [&context](Request r) { return review(context, std::move(r), Reviewed::What::drop); });
}

}  // namespace agentd::api
