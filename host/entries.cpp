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

bool is_unasked(const event::Entered& entered) {
  const auto& trigger = entered.trigger;
  return trigger == "schedule" || trigger == "start" || trigger == "file" || trigger == "agent";
}

}  // namespace agentd::host
