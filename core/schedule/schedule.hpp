// When an agent's slots are: pure functions, instants in, instants out.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/manifest/agent_spec.hpp"
#include "core/schedule/cron.hpp"
#include "core/schedule/zone.hpp"

namespace agentd::schedule {

struct Interval {
  Millis every{0};  // at least one second; measured from Schedule::start, else from the epoch, so it never drifts
  friend bool operator==(const Interval&, const Interval&) = default;
};
struct Cron {
  CronFields fields;
  Zone zone;
  friend bool operator==(const Cron&, const Cron&) = default;
};
struct At {
  Instant at{};
  friend bool operator==(const At&, const At&) = default;
};

struct Schedule {
  std::variant<Interval, Cron, At> when;
  std::optional<Instant> start;  // no slot before; an interval's first slot is here
  std::optional<Instant> end;    // no slot after
  Millis jitter{0};
  friend bool operator==(const Schedule&, const Schedule&) = default;
};

// The first slot after an instant, without jitter.
std::optional<Instant> next_slot(const Schedule& schedule, Instant after);

// The slots after `from` and not after `to`, at most `limit`.
std::vector<Instant> slots_between(const Schedule& schedule, Instant from, Instant to, std::size_t limit);

// How many these are, and which is the last, without a list of them: an agent may have slept for years.
struct Count {
  std::uint64_t count = 0;
  Instant first{}, last{};  // with count > 0
  friend bool operator==(const Count&, const Count&) = default;
};
Count count_slots(const Schedule& schedule, Instant from, Instant to);

// The last slot not after `to`, given an earlier one (which it may be).
Instant last_slot(const Schedule& schedule, Instant slot, Instant to);

// An agent's slots are all late by the same amount in [0, jitter), which follows from its id alone: every replica and every
// restart agree on it.
Millis jitter_of(std::string_view agent_id, Millis jitter);

// "agent_id@2026-12-01T09:00:00Z": of the slot as scheduled, so that a change of jitter does not repeat it.
std::string slot_key(std::string_view agent_id, Instant scheduled_at);

// What is wrong with a manifest's schedule, everything at once; key is "schedule.cron" and so on.
struct Problem {
  std::string key;
  std::string message;
};
std::vector<Problem> problems(const manifest::Schedule& schedule);

// Nothing for an agent that runs only by hand or by triggers; an error is the first of problems().
Result<std::optional<Schedule>> make_schedule(const manifest::Schedule& schedule);

}  // namespace agentd::schedule
