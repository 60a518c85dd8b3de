#include "host/entries.hpp"

namespace agentd::host {

port::Entry entry_for(const World& world, const Member& member, const event::Entered& entered) {
  return {.agent_id = member.agent_id,
          .key = entered.key,
          .nonce = static_cast<std::uint32_t>(world.random.next()),
          .due_at = world.clock.now(),
          .revision = member.revision,
          .overlap = member.overlap,
          .queue_size = member.queue_size,
          .max_concurrent = member.max_concurrent,
          .payload = event::encode(entered)};
}

bool is_one_of_all(const Member& member, const event::Entered& entered, Instant entered_at) {
  if (entered.trigger == "file") return entered.key.ends_with(kOneOfAll);
  if (!entered.scheduled_at || !member.schedule || member.policy.misfire != schedule::Policy::Misfire::all) return false;
  const auto due_at = *entered.scheduled_at + schedule::jitter_of(member.agent_id, member.schedule->jitter);
  return entered_at > due_at + schedule::kMisfireAfter;
}

bool is_unasked(const event::Entered& entered) {
  const auto& trigger = entered.trigger;
  return trigger == "schedule" || trigger == "start" || trigger == "file" || trigger == "agent";
}

bool is_aside(const port::RunRow& row) {
  const auto decoded = event::decode(event::Entered::kKind, row.payload);
  return decoded && event::is_aside(std::get<event::Entered>(decoded->body));
}

}  // namespace agentd::host
