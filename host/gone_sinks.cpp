#include "host/gone_sinks.hpp"

#include <algorithm>
#include <set>

#include "core/base/json_text.hpp"
#include "core/event/json_fields.hpp"

namespace agentd::host {
namespace {

constexpr const char* kOfSinks = "@sinks";  // no agent's id has an @

std::set<std::string> names_in(const std::string& state) {
  std::set<std::string> names;
  const auto object = event::ObjectReader::open(state);
  const auto list = object ? event::array_elements(object->raw("sinks")) : std::nullopt;
  if (!list) return names;  // none ever was
  for (const auto element : *list)
    if (auto name = event::string_value(element)) names.insert(std::move(*name));
  return names;
}

std::string state_of(const std::set<std::string>& names) {
  std::string list;
  for (const auto& name : names) (list += list.empty() ? "" : ",") += json_string(name);
  return "{\"sinks\":[" + list + "]}";
}

}  // namespace

Async<port::LedgerResult<std::vector<std::string>>> gone_sinks(port::Ledger& ledger, std::vector<std::string> now) {
  const auto state = co_await ledger.agent_state(kOfSinks);
  if (!state) co_return std::unexpected(state.error());
  const auto before = names_in(*state);
  auto all = before;
  all.insert(now.begin(), now.end());
  if (all != before) {
    port::Transition transition{.agent_id = kOfSinks, .agent_state = state_of(all)};
    const auto kept = co_await ledger.commit(std::move(transition));
    if (!kept) co_return std::unexpected(kept.error());
  }
  for (const auto& name : now) all.erase(name);
  co_return std::vector<std::string>(all.begin(), all.end());
}

Async<Result<void>> GoneSink::send(Message, std::stop_token) {
  if (!std::exchange(said_, true))
    log_.error("deliver", "sink \"" + name_ + "\" is not in agentd.toml any more, and there is something that it was still to be told: put it back, or that is given up after the tries it has left");
  co_return fail(ErrorClass::retryable, "it is not in agentd.toml any more");
}

}  // namespace agentd::host
