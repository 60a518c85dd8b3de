#include "host/modes.hpp"

#include "core/event/json_fields.hpp"

namespace agentd::host {
namespace {

const char* name_of(Mode mode) { return mode == Mode::paused ? "paused" : mode == Mode::stopped ? "stopped" : "active"; }

std::optional<Mode> mode_of(std::string_view name) {
  for (const auto mode : {Mode::active, Mode::paused, Mode::stopped})
    if (name == name_of(mode)) return mode;
  return std::nullopt;
}

}  // namespace

std::string Modes::to_json(const All& all) {
  std::string list;
  for (const auto& [agent_id, kept] : all) {
    event::ObjectWriter one;
    one.text("agent", agent_id).text("mode", name_of(kept.mode)).number("since", kept.since.time_since_epoch().count());
    one.flag("by_itself", kept.by_itself).text("by", kept.by).text("reason", kept.reason).number("errors", kept.errors);
    (list += list.empty() ? "" : ",") += one.finish();
  }
  return "{\"agents\":[" + list + "]}";
}

Async<Result<void>> Modes::load() {
  const auto state = co_await ledger_.agent_state(kAgent);
  if (!state) co_return fail("which agents are paused cannot be read: " + state.error().message);
  const auto object = event::ObjectReader::open(*state);
  if (!object) co_return Result<void>();  // none ever was
  const auto damaged = [] { return fail(ErrorClass::internal, "which agents are paused cannot be read: it is not what was written"); };
  const auto list = event::array_elements(object->raw("agents"));
  if (!list) co_return damaged();
  All found;
  for (const auto element : *list) {
    const auto one = event::ObjectReader::open(element);
    const auto mode = one ? mode_of(one->text("mode")) : std::nullopt;
    if (!mode || one->text("agent").empty()) co_return damaged();
    found[one->text("agent")] = {*mode, Instant(Millis(one->number("since"))), one->flag("by_itself"), one->text("by"), one->text("reason"), one->number("errors")};
  }
  kept_ = std::move(found);
  co_return Result<void>();
}

const Modes::Kept* Modes::find(const std::string& agent_id) const {
  const auto found = kept_.find(agent_id);
  return found == kept_.end() ? nullptr : &found->second;
}

Mode Modes::mode(const std::string& agent_id) const {
  const auto* kept = find(agent_id);
  return kept ? kept->mode : Mode::active;
}

Async<port::LedgerResult<void>> Modes::set(std::string agent_id, Kept to, event::AgentChanged change) {
  auto after = kept_;
  if (to.mode == Mode::active && to.errors == 0) after.erase(agent_id);
  else after[agent_id] = std::move(to);
  change.agent_id = std::move(agent_id);
  std::vector<port::Record> records = {event::to_record(change)};
  auto keeping = keep(std::move(after), std::move(records));
  co_return co_await std::move(keeping);
}

Async<port::LedgerResult<void>> Modes::begin_anew(std::string agent_id, std::int64_t errors) {
  auto after = kept_;
  after.erase(agent_id);
  if (errors > 0) after[agent_id] = {.errors = errors};
  else if (!kept_.contains(agent_id)) co_return port::LedgerResult<void>();
  auto keeping = keep(std::move(after), {});
  co_return co_await std::move(keeping);
}

Async<port::LedgerResult<void>> Modes::keep(All after, std::vector<port::Record> records) {
  port::Transition transition{.agent_id = kAgent, .records = std::move(records), .agent_state = to_json(after)};
  const auto committed = co_await ledger_.commit(std::move(transition));
  if (committed) {
    kept_ = std::move(after);
    co_return port::LedgerResult<void>();
  }
  if (committed.error().fault == port::LedgerFault::unknown_outcome) co_await load();
  co_return std::unexpected(committed.error());
}

}  // namespace agentd::host
