// POST /v1/hooks/{agent}/{trigger}: runs that another program's event starts. The body arrives as params.trigger.
#include <algorithm>

#include "core/base/json_text.hpp"
#include "core/base/name_text.hpp"
#include "core/event/trace_context.hpp"
#include "core/run/clean.hpp"
#include "core/tool/strict_json.hpp"
#include "host/api/endpoints.hpp"
#include "host/api/head.hpp"
#include "host/api/hook_proof.hpp"
#include "host/api/json.hpp"
#include "host/api/problem.hpp"
#include "host/api/take_in.hpp"

namespace agentd::api {
namespace {

constexpr std::size_t kLongestDelivery = 256;  // of its id

// Of an agent that is not there as of a trigger that is not: nobody learns which agents there are.
Document no_such_hook() { return problem(404, "there is no such webhook"); }

std::optional<manifest::WebhookTrigger> webhook_of(const host::MemberRef& member, const std::string& name) {
  if (!member) return std::nullopt;
  const auto spec = member->spec();
  const auto trigger = std::ranges::find(spec.triggers, name, &manifest::Trigger::name);
  if (trigger == spec.triggers.end() || !std::holds_alternative<manifest::WebhookTrigger>(trigger->on)) return std::nullopt;
  return std::get<manifest::WebhookTrigger>(trigger->on);
}

bool says_json(const Request& request) {
  const auto type = in_small_letters(request.header("content-type"));
  const auto name = type.substr(0, type.find_first_of("; "));
  return name == "application/json" || name.ends_with("+json");
}

// The body as one JSON value: what says that it is JSON as itself, anything else as a text, none as null.
Result<std::string> value_of(const Request& request) {
  if (request.body.empty()) return "null";
  if (!says_json(request)) return json_string(request.body);
  const auto parsed = tool::parse_strict(request.body);
  if (!parsed) return fail("the body is " + parsed.error().message);
  return request.body;
}

// Deliveries of two webhooks are never taken for one; nor for a slot of the agent's.
std::string key_of(const std::string& trigger, const std::string& delivery) {
  return delivery.empty() ? std::string() : "webhook:" + trigger + "/" + delivery;
}

event::Entered entered_by(const std::string& trigger, const Delivery& delivery, const std::string& value) {
  event::ObjectWriter params;
  params.raw("trigger", value);
  if (!delivery.event.empty()) params.text("trigger_event", delivery.event);
  return {.trigger = "webhook", .trigger_name = trigger, .params = {params.finish()}, .key = key_of(trigger, delivery.id)};
}

Document unproven(const std::string& why) {
  auto answer = problem(401, why);
  answer.headers.emplace_back("WWW-Authenticate", "Bearer");
  return answer;
}

Async<Answer> receive(Context& context, Request request) {
  const auto& trigger = request.capture("trigger");
  const auto member = context.roster.find(request.capture("agent"));
  const auto webhook = webhook_of(member, trigger);
  if (!webhook) co_return no_such_hook();
  const auto secret = context.ports.secret(webhook->secret);
  if (!secret) co_return problem(503, "the secret of this webhook cannot be read now");
  const auto delivery = prove(webhook->verify, *secret, request, context.world.clock.now());
  if (!delivery) co_return unproven(delivery.error().message);
  if (auto refused = refusal(context, *member)) co_return std::move(*refused);
  if (member->mode == host::Mode::paused)
    co_return problem(409, "agent \"" + member->agent_id + "\" is paused: agentd agents resume " + member->agent_id);
  if (delivery->id.size() > kLongestDelivery || !unfit_for_a_name(delivery->id).empty())
    co_return problem(400, "the delivery's id is no name of at most 256 bytes");
  const auto value = value_of(request);
  if (!value) co_return problem(400, value.error().message);
  auto entered = entered_by(trigger, *delivery, *value);
  entered.traceparent = event::read_traceparent(request.header("traceparent"));
  if (auto refused = clean(context, entered)) co_return std::move(*refused);
  auto taken = co_await take_in(context, *member, entered);
  if (auto* refused = std::get_if<Document>(&taken)) co_return std::move(*refused);
  const auto& admission = std::get<port::Admission>(taken);
  auto answer =
      document({{"run_id", to_text(admission.run)}, {"duplicate", admission.kind == port::Admission::Kind::duplicate}}, 202);
  answer.headers.emplace_back("Location", "/v1/runs/" + to_text(admission.run));
  co_return answer;
}

}  // namespace

// What a sender adds to the address is its own affair, as what its body has is.
void add_hooks(Routes& routes, Context& context) {
  routes.add_proven("POST", "/v1/hooks/{agent}/{trigger}", [&context](Request r) { return receive(context, std::move(r)); }).for_any_query();
}

}  // namespace agentd::api
