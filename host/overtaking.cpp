#include "host/overtaking.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <map>

#include "host/entries.hpp"

namespace agentd::host {
namespace {

constexpr std::size_t kRunsAtOnce = 256;
constexpr Millis kLookAgain{500};
constexpr std::array kLive = {port::RunStatus::waiting, port::RunStatus::queued, port::RunStatus::running};  // as a run goes on

// What people and batches asked for is theirs, and a replay or a run for memory is none of the agent's own.
bool can_be_overtaken(const port::RunRow& row) {
  const auto decoded = event::decode(event::Entered::kKind, row.payload);
  if (!decoded) return false;
  const auto& entered = std::get<event::Entered>(decoded->body);
  return is_unasked(entered) && !event::is_aside(entered);
}

}  // namespace

// Of each agent the latest run that overtakes.
struct Overtaking::Newest {
  std::map<std::string, RunId> runs;
};

Overtaking::Overtaking(World world, port::Ledger& ledger, const Members& members, run::Worker& worker, const Log& log)
    : world_(world), ledger_(ledger), members_(members), worker_(worker), log_(log) {}

void Overtaking::see(const port::StoredRecord& record, const event::Entered& entered) {
  if (overtakes(record.agent_id, entered, record.at) && !stopping_.stop_requested())
    spawn(world_.executor, push_aside(record.agent_id, record.run));
}

bool Overtaking::overtakes(const std::string& agent_id, const event::Entered& entered, Instant entered_at) const {
  if (!is_unasked(entered)) return false;
  const auto member = members_.find(agent_id);
  return member && member->overlap == port::Overlap::cancel_previous && !is_one_of_all(*member, entered, entered_at);
}

Async<void> Overtaking::start() {
  const auto cancels = [](const auto& member) { return member.second->overlap == port::Overlap::cancel_previous; };
  if (std::ranges::none_of(members_.members(), cancels)) co_return;  // a long queue is not read for nothing
  Newest newest;
  for (const auto status : kLive) co_await look_at(status, newest);
  for (const auto& [agent_id, run] : newest.runs) spawn(world_.executor, push_aside(agent_id, run));
}

Async<void> Overtaking::look_at(port::RunStatus status, Newest& newest) {
  port::RunFilter filter{.agent_id = {}, .status = status, .limit = kRunsAtOnce};
  while (true) {
    const auto rows = co_await ledger_.list(filter);
    if (!rows) log_.error("schedule", "which runs were overtaken cannot be read: " + rows.error().message);
    if (!rows || rows->empty()) co_return;
    for (const auto& row : *rows) {
      const auto decoded = event::decode(event::Entered::kKind, row.payload);
      if (!decoded || !overtakes(row.agent_id, std::get<event::Entered>(decoded->body), row.entered_at)) continue;
      auto& known = newest.runs[row.agent_id];
      known = std::max(known, row.run);
    }
    filter.before = rows->back().run.position;
  }
}

// Until none is left: one may pass from state to state meanwhile, and one in flight takes its time to end.
Async<void> Overtaking::push_aside(std::string agent_id, RunId by) {
  for (bool any = true; any && !stopping_.stop_requested();) {
    any = false;
    for (const auto status : kLive) {
      const bool found = co_await cancel_earlier(agent_id, status, by);
      any = any || found;
    }
    if (any) co_await sleep(world_.timers, kLookAgain, stopping_.get_token());
  }
}

Async<bool> Overtaking::cancel_earlier(const std::string& agent_id, port::RunStatus status, RunId by) {
  port::RunFilter filter{.agent_id = agent_id, .status = status, .before = by.position, .limit = kRunsAtOnce};
  auto rows = co_await ledger_.list(filter);
  while (rows && rows->size() == kRunsAtOnce && std::ranges::none_of(*rows, can_be_overtaken)) {
    filter.before = rows->back().run.position;
    rows = co_await ledger_.list(filter);
  }
  if (!rows)
    log_.warn("schedule", agent_id + ": what run " + to_text(by) + " pushes aside cannot be read: " + rows.error().message);
  if (!rows) co_return true;
  std::erase_if(*rows, std::not_fn(can_be_overtaken));
  for (const auto& row : *rows) {
    if (stopping_.stop_requested()) break;
    auto cancelling = worker_.cancel(row.run, "overtaken by run " + to_text(by));
    const auto cancelled = co_await std::move(cancelling);
    if (!cancelled && cancelled.error().error_class != ErrorClass::retryable)
      log_.warn("schedule", "run " + to_text(row.run) + " cannot be pushed aside: " + cancelled.error().message);
  }
  co_return !rows->empty();
}

}  // namespace agentd::host
