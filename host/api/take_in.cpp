#include "host/api/take_in.hpp"

#include "core/run/clean.hpp"
#include "host/api/json.hpp"
#include "host/api/problem.hpp"

namespace agentd::api {

std::optional<Document> refusal(const Context& context, const host::Member& member) {
  if (context.draining) return problem(503, "the host is stopping");
  if (!member.enabled) return problem(409, "agent \"" + member.agent_id + "\" is stopped: " + member.how_to_enable());
  if (member.mode == host::Mode::stopped)
    return problem(409, "agent \"" + member.agent_id + "\" is stopped: agentd agents start " + member.agent_id);
  return std::nullopt;
}

std::optional<Document> clean(const Context& context, event::Entered& entered) {
  const auto key = entered.key;
  run::clean(context.ports.cleaner(), entered);
  if (entered.key == key) return std::nullopt;
  return problem(422, "key may not hold a secret");
}

Async<port::LedgerResult<std::vector<port::Admission>>> take_in_all(const Context& context, const host::Member& member,
                                                                    std::vector<event::Entered> entered) {
  std::vector<port::Entry> entries;
  entries.reserve(entered.size());
  for (const auto& one : entered)
    entries.push_back({.agent_id = member.agent_id,
                       .key = one.key,
                       .nonce = static_cast<std::uint32_t>(context.world.random.next()),
                       .due_at = context.world.clock.now(),
                       .revision = member.revision,
                       .overlap = one.replay ? port::Overlap::aside : port::Overlap::queue,
                       .leaves_record = false,
                       .queue_size = member.queue_size,
                       .max_concurrent = member.max_concurrent,
                       .payload = event::encode(one, one.session)});
  co_return co_await context.ledger.enqueue(std::move(entries));
}

Async<std::variant<port::Admission, Document>> take_in(const Context& context, const host::Member& member,
                                                       const event::Entered& entered) {
  std::vector<event::Entered> one = {entered};
  const auto admitted = co_await take_in_all(context, member, std::move(one));
  if (!admitted) co_return ledger_problem(admitted.error());
  const auto& admission = admitted->front();
  if (admission.kind == port::Admission::Kind::full) {
    auto answer = problem(
        429, "the queue of agent \"" + member.agent_id + "\" is full (" + std::to_string(member.queue_size) + " runs wait)");
    answer.headers.emplace_back("Retry-After", "5");
    co_return answer;
  }
  if (!admission.run) co_return problem(409, "the run was refused: another one is under way");
  co_return admission;
}

}  // namespace agentd::api
