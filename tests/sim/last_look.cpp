#include "tests/sim/last_look.hpp"

#include "core/event/expand.hpp"
#include "core/run/agent_state.hpp"
#include "core/schedule/ticker.hpp"
#include "tests/sim/agents.hpp"

namespace agentd::sim {
namespace {

constexpr std::size_t kMany = 1'000'000;

struct Counts {
  std::int64_t least = 0, most = 0, completed = 0, passed = 0;  // passed: the gate
};

Counts ended_of(const Witness& witness, const std::string& agent) {
  Counts counts;
  for (const auto& [position, run] : witness.runs()) {
    if (run.agent != agent || !run.accepted() || run.aside) continue;
    const bool is_passed_over = run.ended && run.ended_as == port::RunStatus::skipped;
    const auto counted = run.ends - (is_passed_over ? 1 : 0);  // also those before a person let it begin again, whatever became of it then
    counts.most += counted;
    counts.least += run.records > 1 ? counted : 0;  // one that was cancelled before anybody took it up is no run
    if (!run.ended || is_passed_over) continue;
    counts.completed += run.ended_as == port::RunStatus::completed;
    counts.passed += run.ended_as == port::RunStatus::completed && run.gated;
  }
  return counts;
}

// A summary is of its session, and what was learned is of a run that was to be learned from.
bool is_digested(const port::MemoryEntry& entry, const Witness& witness) {
  if (entry.id == "summary/" + entry.agent_id) return entry.session_id == entry.id;
  constexpr std::string_view kLearned = "learned:", kBehind = "/long_term/0";
  if (!entry.id.starts_with(kLearned) || !entry.id.ends_with(kBehind)) return false;
  const auto name = entry.id.substr(kLearned.size(), entry.id.size() - kLearned.size() - kBehind.size());
  return witness.has_key_from(entry.agent_id, "memory:" + name + "/lessons");
}

}  // namespace

Async<bool> look_at_rows(WatchedLedger& ledger, Witness& witness) {
  port::RunFilter all;
  all.limit = kMany;
  auto listing = ledger.list(all);
  const auto rows = co_await std::move(listing);
  if (!rows) co_return false;
  if (rows->size() != witness.runs().size())
    witness.object("there are " + std::to_string(rows->size()) + " rows of " + std::to_string(witness.runs().size()) + " runs");
  std::set<std::string> agents;
  for (const auto& row : *rows) {
    const auto* run = witness.facts(row.run);
    if (!run) {
      witness.object("there is a row of a run that nobody brought in: " + to_text(row.run));
      continue;
    }
    agents.insert(row.agent_id);
    const auto expected = run->ended ? run->ended_as : run->entered_as;
    if (row.status != expected)
      witness.object("the row of run " + to_text(row.run) + " says " + port::name(row.status) + ", its records say " +
                     port::name(expected));
  }
  for (const auto& agent : agents) {
    const auto stats = ledger.stats(agent);
    const auto counts = ended_of(witness, agent);
    if (stats.run_count < counts.least || stats.run_count > counts.most)
      witness.object(agent + " counts " + std::to_string(stats.run_count) + " runs of " + std::to_string(counts.least) + " to " +
                     std::to_string(counts.most));
    const auto& spec = witness.spec(agent);
    if (!spec.gate && (!spec.task.is_native() || spec.limits.max_concurrent > 1)) continue;
    auto asking = ledger.agent_state(agent);
    const auto state = co_await std::move(asking);
    if (spec.gate) {
      const auto kept = run::gate_state(state ? *state : "null");
      const auto count = kept == "null" ? 0 : std::stol(kept);
      if (state && (count > counts.passed || (count == 0) != (counts.passed == 0)))
        witness.object("the gate of " + agent + " has counted " + kept + " of " + std::to_string(counts.passed) +
                       " completed runs");
      continue;
    }
    if (state && *state != (counts.completed ? std::to_string(counts.completed) : "null"))
      witness.object("the state of " + agent + " is " + *state + " after " + std::to_string(counts.completed) +
                     " completed runs");
  }
  co_return true;
}

void look_at_slots(const Calendar& calendar, Witness& witness) {
  for (const auto& [agent, began] : witness.schedules_began()) {
    const auto& spec = witness.spec(agent);
    const auto schedule = *schedule::make_schedule(spec.schedule);
    if (!schedule || !calendar.stopped) continue;
    const auto until = *calendar.stopped - schedule::kMisfireAfter - schedule->jitter;
    const auto& stretches = witness.slots(agent);
    for (const auto slot : schedule::slots_between(*schedule, began, until, kMany)) {
      int dispositions = 0, runs = 0;
      for (const auto& stretch : stretches) {
        if (slot < stretch.first || slot > stretch.last) continue;
        ++dispositions;
        runs += stretch.ran;
      }
      const auto name = "the slot " + format_instant(slot) + " of " + agent;
      if (dispositions == 0) witness.object(name + " is in no record");
      if (runs > 1) witness.object(name + " became " + std::to_string(runs) + " runs");
      if (dispositions > 1 && !calendar.went_back) witness.object(name + " is in " + std::to_string(dispositions) + " records");
    }
    for (const auto& stretch : stretches) {
      const auto counted = schedule::slots_between(*schedule, stretch.first - Millis(1), stretch.last, kMany).size();
      if (std::cmp_not_equal(counted, stretch.count))
        witness.object("a record of " + agent + " says " + std::to_string(stretch.count) + " slots from " +
                       format_instant(stretch.first) + " to " + format_instant(stretch.last) + ", which has " +
                       std::to_string(counted));
    }
  }
}

// The copier has been told that all are kept.
void look_at_copies(const Outside& outside, Witness& witness) {
  std::size_t count = 0;
  for (const auto& record : witness.records()) {
    const auto events = event::expand(record);
    if (!events) {
      witness.object("record " + std::to_string(record.position) + " has no events: " + events.error().message);
      continue;
    }
    for (std::size_t i = 0; i < events->size(); ++i) {
      const auto& event = (*events)[i];
      ++count;
      if (event.id != event_id(record.position, static_cast<int>(i)))
        witness.object("event " + std::to_string(i) + " of record " + std::to_string(record.position) + " is named " + event.id);
      const auto copy = outside.copies().find(event.id);
      if (copy == outside.copies().end())
        witness.object("the event " + event.id + " was not copied");
      else if (copy->second != event.type + event.payload)
        witness.object("the copy of event " + event.id + " is another one");
    }
  }
  if (outside.copies().size() != count)
    witness.object(std::to_string(outside.copies().size()) + " events were copied of " + std::to_string(count));
}

void look_at_chains(Witness& witness) {
  for (const auto& [position, run] : witness.runs()) {
    if (run.agent != kFollowed || run.aside || run.ended_as != port::RunStatus::completed) continue;
    if (!witness.has_key_from(kFollower, "agent:" + to_text(run.run) + '/' + kFollows))  // and the end's number, where it is not the first
      witness.object("run " + to_text(run.run) + " is completed, and nothing has followed it");
  }
}

// Of one day, where it is at hand: a ledger that was opened knows the latest that anything is kept of.
void look_at_day(const port::Ledger& ledger, Witness& witness, std::int64_t day) {
  bool at_hand = false;
  std::vector<std::string> missing;
  for (const auto& [name, purse] : witness.purses()) {
    if (purse.window != day) continue;
    const auto account = ledger.account(name.first, day);
    at_hand = at_hand || account.spent != port::Spend{} || account.raised != port::Spend{};
    if (account.spent.tokens < purse.paid.tokens || account.spent.cost < purse.paid.cost)
      missing.push_back(name.first + " has paid " + std::to_string(purse.paid.tokens) + " tokens on " + name.second + ", and " +
                        std::to_string(account.spent.tokens) + " are known");
  }
  for (auto& what : missing)
    if (at_hand) witness.object(std::move(what));
}

void look_at_budgets(const port::Ledger& ledger, Witness& witness) {
  witness.expect_nothing_held(ledger);
  std::set<std::int64_t> days;
  for (const auto& [name, purse] : witness.purses()) days.insert(purse.window);
  for (const auto day : days) look_at_day(ledger, witness, day);
}

void look_at_digests(Witness& witness) {
  for (const auto& [position, run] : witness.runs()) {
    if (run.ended_as != port::RunStatus::completed || run.aside || witness.spec(run.agent).task.is_native() || witness.spec(run.agent).memory.learn.empty()) continue;
    if (!witness.has_key_from(run.agent, "memory:" + to_text(run.run) + "/lessons"))
      witness.object("run " + to_text(run.run) + " is completed, and nothing is learned from it");
  }
  for (const auto& [position, run] : witness.runs()) {
    if (run.aside && !run.accepted()) witness.object("run " + to_text(run.run) + " for the memory of " + run.agent + " was dropped");
  }
}

void look_at_memories(const Outside& outside, Witness& witness) {
  for (const auto& [agent, entries] : outside.memories())
    for (const auto& [id, entry] : entries) {
      if (is_digested(entry, witness)) continue;
      const auto slash = id.find('/');
      const auto run = parse_run_id(id.substr(0, slash));
      if (!run || !witness.facts(*run) || (id.substr(slash) != "/0" && id.substr(slash) != "/1"))
        witness.object("the memory " + id + " of " + agent + " is of no run");
    }
  for (const auto& [position, run] : witness.runs()) {
    const auto& spec = witness.spec(run.agent);
    if (run.ended_as != port::RunStatus::completed || run.aside || spec.task.is_native() ||
        spec.memory.session.scope == manifest::Session::Scope::run)
      continue;
    const auto of_agent = outside.memories().find(run.agent);
    for (const auto* index : {"/0", "/1"})
      if (of_agent == outside.memories().end() || !of_agent->second.contains(to_text(run.run) + index))
        witness.object("run " + to_text(run.run) + " is completed and left no memory " + index);
  }
}

}  // namespace agentd::sim
