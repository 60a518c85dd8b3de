#include "host/chains.hpp"

#include "core/base/json_text.hpp"
#include "core/event/json_fields.hpp"
#include "core/event/trace_context.hpp"
#include "host/entries.hpp"

namespace agentd::host {
namespace {

constexpr std::size_t kLongestResult = 256 << 10;  // bytes; whole it stays with the run that gave it

void add_result(event::ObjectWriter& params, std::string_view result) {
  if (result.size() <= kLongestResult) {
    params.raw("result", result.empty() ? "null" : result);
    return;
  }
  const auto text = event::string_value(result).value_or(std::string(result));
  params.text("result", clip_utf8(text, kLongestResult));
  params.text("result_note", "shortened: it had " + std::to_string(text.size()) + " bytes; the run has it whole");
}

}  // namespace

std::string chain_params(const run::RunEnd& end) {
  event::ObjectWriter params;
  params.text("agent_id", end.agent_id).text("run_id", to_text(end.run)).text("status", port::name(end.status));
  add_result(params, end.result);
  return params.finish();
}

std::vector<port::Entry> follow_ups(const World& world, const Members& members, const run::RunEnd& end) {
  std::vector<port::Entry> entries;
  std::string params;
  for (const auto& follower : members.followers(end.agent_id)) {
    auto member = members.find(follower.agent_id);
    const bool is_refused = !member;
    if (is_refused) member = members.find_stand_in(follower.agent_id);
    if (!member || follower.outcome != end.status) continue;
    if (params.empty()) params = event::ObjectWriter().raw("trigger", chain_params(end)).finish();
    const bool is_paused = !is_refused && !member->starts_by_itself();
    const event::Entered entered{.trigger = "agent",
                                 .trigger_name = follower.trigger,
                                 .params = {params},
                                 .key = "agent:" + to_text(end.run) + "/" + follower.trigger + (end.earlier_ends > 0 ? "/" + std::to_string(end.earlier_ends) : ""),
                                 .reason = is_refused ? "its manifest is refused" : is_paused ? "paused" : "",
                                 .traceparent = event::traceparent_of_run(end.traceparent, to_text(end.run))};
    entries.push_back(entry_for(world, *member, entered));
    if (is_paused || is_refused) entries.back().status = port::RunStatus::skipped;
  }
  return entries;
}

}  // namespace agentd::host
