// What agents and the host may spend in a day, what they have spent, limited or not, and more of it when a person says so.
#include <cmath>

#include "core/base/name_text.hpp"
#include "core/budget/days.hpp"
#include "core/tool/strict_json.hpp"
#include "host/api/agent_view.hpp"
#include "host/api/endpoints.hpp"
#include "host/api/problem.hpp"
#include "host/api/said.hpp"
#include "host/raises.hpp"

namespace agentd::api {
namespace {

constexpr std::int64_t kMostTokens = 1'000'000'000'000;
constexpr double kLeastDollars = 1e-9, kMostDollars = 1'000'000;
constexpr port::Spend kMostOfADay{1'000'000'000'000'000, 1'000'000'000'000'000'000};  // tokens, nano-dollars; raises together
constexpr std::size_t kLongestSaid = 256;

double in_dollars(NanoDollars amount) { return static_cast<double>(amount) / 1e9; }

Json resource_view(const port::Account& account, const char* resource, std::int64_t spent, std::int64_t held, std::int64_t limit, std::int64_t raised) {
  const bool money = std::string_view(resource) == "cost";
  const auto amount = [money](std::int64_t value) { return money ? Json(in_dollars(value)) : Json(value); };
  const bool limited = limit > 0;
  return {{"scope", account.name}, {"window", budget::format_day(account.window)}, {"resource", resource}, {"spent", amount(spent)}, {"held", amount(held)},
          {"limit", limited ? amount(limit + raised) : Json()}, {"raised", amount(raised)},
          {"used_ratio", limited ? Json(static_cast<double>(spent + held) / static_cast<double>(limit + raised)) : Json()}};
}

// Without a limit nothing is held: what it has spent is what its answers came to.
port::Account account_of(const Context& context, const std::string& scope, std::int64_t day, const port::Spend& limit, const port::Spend& spent) {
  if (limit != port::Spend{}) return context.ledger.account(scope, day);
  return {.name = scope, .window = day, .spent = spent};
}

// What is limited; then what else something was spent of.
std::vector<Json> views_of(const port::Account& account, const port::Spend& limit) {
  std::vector<Json> views;
  const auto view = [&](bool limited) {
    if (limited ? limit.tokens > 0 : limit.tokens == 0 && account.spent.tokens > 0)
      views.push_back(resource_view(account, "tokens", account.spent.tokens, account.held.tokens, limit.tokens, account.raised.tokens));
    if (limited ? limit.cost > 0 : limit.cost == 0 && account.spent.cost > 0)
      views.push_back(resource_view(account, "cost", account.spent.cost, account.held.cost, limit.cost, account.raised.cost));
  };
  view(true);
  view(false);
  return views;
}

// Cursor is the agent that the page before ended with; the host's own come first.
Async<Answer> list_budgets(Context& context, Request request) {
  const auto limit = limit_of(request, 100, 1000);
  if (!limit) co_return problem(400, "limit is a number from 1 to 1000");
  const auto day = budget::day_of(context.world.clock.now());
  const auto after = request.parameter("cursor");
  Page page("budgets", *limit);
  const auto& spent = context.journal.spent_today();
  const port::Spend of_host{0, context.config.budget.cost_per_day};
  if (after.empty())
    for (const auto& view : views_of(account_of(context, budget::kHostAccount, day, of_host, spent.of_all()), of_host)) page.add(view);
  std::string last = after;
  bool more = false;
  const auto visit = [&](const host::Member& member) {
    const auto& id = member.agent_id;
    const auto views = views_of(account_of(context, budget::account_of(id), day, member.day_limit, spent.of(id)), member.day_limit);
    if (views.empty()) return true;
    if (page.full()) more = true;
    if (more) return false;
    for (const auto& view : views) page.add(view);
    last = member.agent_id;
    return true;
  };
  auto visiting = each_member(context, after, visit);
  co_await std::move(visiting);
  co_return page.answer(more ? Json(last) : Json());
}

struct Raising {
  std::string scope, resource, by;
  std::int64_t amount = 0;
};

// The body, or everything that is wrong with it.
std::variant<Raising, Document> read_raise(const Request& request) {
  const auto body = tool::parse_strict(request.body);
  if (!body || !body->is_object()) return problem(400, "the body cannot be read as a JSON object: {\"scope\": \"agent:ID\" or \"host\", \"resource\": \"cost\" or \"tokens\", \"amount\": 2.5}");
  std::vector<InputError> errors;
  Raising raising;
  const auto text = [&](const char* member, std::string& to) {
    const auto found = body->find(member);
    if (found == body->end()) return;
    if (!found->is_string()) errors.push_back({std::string("/") + member, "is a string"});
    else if (const auto unfit = unfit_for_a_name(to = found->get<std::string>()); !unfit.empty()) errors.push_back({std::string("/") + member, std::string(unfit)});
    else if (to.size() > kLongestSaid) errors.push_back({std::string("/") + member, "is longer than " + std::to_string(kLongestSaid) + " bytes"});
  };
  raising.resource = "cost";
  text("scope", raising.scope), text("resource", raising.resource), text("by", raising.by);
  if (raising.scope.empty()) errors.push_back({"/scope", "is missing: \"host\" or \"agent:ID\""});
  if (raising.resource != "cost" && raising.resource != "tokens") errors.push_back({"/resource", "is \"cost\" or \"tokens\""});
  const auto amount = body->find("amount");
  const double asked = amount != body->end() && amount->is_number() ? amount->get<double>() : 0;
  const bool money = raising.resource == "cost";
  if (!(asked >= (money ? kLeastDollars : 1)) || asked > (money ? kMostDollars : static_cast<double>(kMostTokens))) {
    errors.push_back({"/amount", money ? "is a number of dollars, at least 0.000000001 and at most a million" : "is a number of tokens, at least 1 and at most 10^12"});
  } else {
    raising.amount = money ? dollars(asked) : static_cast<std::int64_t>(std::floor(asked));
  }
  for (const auto& [member, value] : body->items())
    if (member != "scope" && member != "resource" && member != "amount" && member != "by") errors.push_back({pointer_to(member), "is not known here; known are scope, resource, amount, by"});
  if (!errors.empty()) return problem(422, "the raise cannot be understood", errors);
  return raising;
}

std::optional<port::Spend> limit_of_scope(const Context& context, const std::string& scope) {
  if (scope == budget::kHostAccount) return port::Spend{0, context.config.budget.cost_per_day};
  if (!scope.starts_with("agent:")) return std::nullopt;
  const auto member = context.roster.find(scope.substr(6));
  return member ? std::optional(member->day_limit) : std::nullopt;
}

// Of another resource than the one that is limited; a bare number on the command line is dollars.
std::string nothing_to_raise(const Raising& asked, const port::Spend& limit) {
  const bool money = asked.resource == "cost";
  auto said = asked.scope + " has no limit on " + asked.resource + " per day, so there is nothing to raise";
  if (money && limit.tokens != 0) said += "; it has one on tokens, and an amount of them is written 5000tokens";
  if (!money && limit.cost != 0) said += "; it has one on cost, and an amount of dollars is written 2.50";
  return said;
}

Async<Answer> raise_budget(Context& context, Request request) {
  auto read = read_raise(request);
  if (auto* refused = std::get_if<Document>(&read)) co_return std::move(*refused);
  auto& asked = std::get<Raising>(read);
  const auto limit = limit_of_scope(context, asked.scope);
  if (!limit) co_return problem(404, "there is no budget \"" + asked.scope + "\": it is \"host\" or \"agent:ID\"");
  const bool money = asked.resource == "cost";
  if ((money ? limit->cost : limit->tokens) == 0) co_return problem(409, nothing_to_raise(asked, *limit));
  asked.by = signed_by(request, std::move(asked.by));
  context.ports.cleaner().clean(asked.by);
  const auto day = budget::day_of(context.world.clock.now());
  const auto raised = context.ledger.account(asked.scope, day).raised;
  if ((money ? raised.cost : raised.tokens) > (money ? kMostOfADay.cost : kMostOfADay.tokens) - asked.amount) co_return problem(409, asked.scope + " has been raised as far as a day may be");
  auto raising = host::raise_budget(context.world, context.ledger, {asked.scope, asked.resource, asked.amount, asked.by});
  const auto woken = co_await std::move(raising);
  if (!woken) co_return ledger_problem(woken.error());
  Json view;
  for (auto& one : views_of(context.ledger.account(asked.scope, day), *limit))
    if (one["resource"] == asked.resource) view = std::move(one);
  view["woken_runs"] = *woken;
  co_return document(view);
}

}  // namespace

void add_budgets(Routes& routes, Context& context) {
  routes.add("GET", "/v1/budgets", [&context](Request r) { return list_budgets(context, std::move(r)); }).reading({"limit", "cursor"});
  routes.add("POST", "/v1/budgets/raise", [&context](Request r) { return raise_budget(context, std::move(r)); });
}

}  // namespace agentd::api
