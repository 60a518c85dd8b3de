#include "host/sent_agents.hpp"

#include "core/event/json_fields.hpp"
#include "host/text_mark.hpp"
#include "host/together.hpp"

namespace agentd::host {
namespace {

constexpr std::size_t kParts = 16;

std::size_t part_of(const std::string& agent_id) { return static_cast<std::size_t>(mark_of(agent_id)) >> 8 & (kParts - 1); }

// Whose state it is: no manifest's.
std::string owner_of(std::size_t part) { return "@agents/" + std::to_string(part); }

std::string to_json(const std::string& agent_id, const SentAgents::Kept& kept) {
  event::ObjectWriter one;
  one.text("agent", agent_id).raw("manifest", kept.document).text("key", kept.key).text("first", kept.first).flag("leaving", kept.is_leaving);
  return one.finish();
}

}  // namespace

Async<Result<void>> SentAgents::load() {
  for (std::size_t part = 0; part < kParts; ++part) {
    auto loading = load(part);
    auto loaded = co_await std::move(loading);
    if (!loaded) co_return loaded;
  }
  co_return Result<void>();
}

Async<Result<void>> SentAgents::load(std::size_t part) {
  const auto state = co_await ledger_.agent_state(owner_of(part));
  if (!state) co_return fail("the agents that came through the API cannot be read: " + state.error().message);
  std::erase_if(kept_, [&](const auto& each) { return part_of(each.first) == part; });
  const auto object = event::ObjectReader::open(*state);
  if (!object) co_return Result<void>();  // none ever was
  const auto damaged = [] { return fail(ErrorClass::internal, "the agents that came through the API cannot be read: it is not what was written"); };
  const auto list = event::array_elements(object->raw("agents"));
  if (!list) co_return damaged();
  for (const auto element : *list) {
    const auto one = event::ObjectReader::open(element);
    if (!one || one->text("agent").empty() || one->raw("manifest").empty()) co_return damaged();
    kept_[one->text("agent")] = {std::string(one->raw("manifest")), one->text("key"), one->text("first"), one->flag("leaving")};
  }
  co_return Result<void>();
}

const SentAgents::Kept* SentAgents::find(const std::string& agent_id) const {
  const auto found = kept_.find(agent_id);
  return found == kept_.end() ? nullptr : &found->second;
}

std::string SentAgents::no_room(const std::string& agent_id, const std::string& document) const {
  if (document.size() > kLargest) return "a manifest has at most 256 KiB";
  std::size_t bytes = document.size();
  for (const auto& [other, kept] : kept_) bytes += other == agent_id ? 0 : kept.document.size();
  if (bytes > kMostBytes) return "there are 64 MiB of manifests that came through the API; files in agent_dirs have no such bound";
  if (!kept_.contains(agent_id) && kept_.size() >= kMost) return "there are 10,000 agents that came through the API; files in agent_dirs have no such bound";
  return "";
}

Async<port::LedgerResult<void>> SentAgents::put(std::string agent_id, std::optional<Kept> kept, std::optional<event::AgentChanged> change) {
  const auto part = part_of(agent_id);
  if (is_shared_) {
    auto reading = load(part);
    const auto read = co_await std::move(reading);
    if (!read) co_return std::unexpected(port::LedgerError{port::LedgerFault::unavailable, read.error().message});
  }
  std::string list;
  const auto add = [&](const std::string& id, const Kept& one) { (list += list.empty() ? "" : ",") += to_json(id, one); };
  for (const auto& [other, one] : kept_)
    if (other != agent_id && part_of(other) == part) add(other, one);
  if (kept) add(agent_id, *kept);
  port::Transition transition{.agent_id = owner_of(part), .agent_state = "{\"agents\":[" + list + "]}"};
  if (change) {
    change->agent_id = agent_id;
    transition.records.push_back(event::to_record(*change));
  }
  const auto committed = co_await ledger_.commit(std::move(transition));
  if (committed) {
    if (kept) kept_[agent_id] = std::move(*kept);
    else kept_.erase(agent_id);
    co_return port::LedgerResult<void>();
  }
  if (committed.error().fault == port::LedgerFault::unknown_outcome) {
    auto reading = load(part);
    const auto read = co_await std::move(reading);  // else what was kept before stands, and the next start reads it
  }
  co_return std::unexpected(committed.error());
}

}  // namespace agentd::host
