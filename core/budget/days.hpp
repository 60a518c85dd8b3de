// What an agent, or all agents together, may use in a day, and what of it a model call holds while it is under way. Pure functions.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/event/record.hpp"
#include "core/manifest/agent_spec.hpp"
#include "core/manifest/host_config.hpp"

namespace agentd::budget {

// Accounts are counted by UTC days: their window is the number of days since 1970.
std::int64_t day_of(Instant at);
Instant end_of(std::int64_t day);
std::string format_day(std::int64_t day);  // "2026-11-22"

struct DayLimit {
  std::string account;  // "agent:ID" or "host"
  port::Spend limit;    // 0: none
};
inline constexpr const char* kHostAccount = "host";
std::string account_of(std::string_view agent_id);
// Those that bind an agent's model calls; most have none.
std::vector<DayLimit> day_limits(const manifest::AgentSpec& spec, NanoDollars host_cost_per_day);

// Under a limit of a day an answer has one too, where the manifest gives none: what is held must end somewhere.
inline constexpr std::int64_t kOutputTokens = 4096;

// The most that a call can come to. However a model cuts text into tokens, each is a byte of it at least.
port::Spend most_of(const manifest::Prices* prices, std::int64_t prompt_bytes, std::int64_t output_tokens);

// What a call came to; nothing where its endpoint did not say.
std::optional<port::Spend> spend_of(const event::Answered& answered);
std::optional<port::Spend> spend_of(const event::CallFailed& failed);

// A limit that a further call would pass.
struct Exhausted {
  std::string account;
  std::int64_t day = 0;
  bool of_cost = false;  // else of tokens
  std::int64_t used = 0, limit = 0;  // nano-dollars or tokens; used: spent and held, the limit with what it was raised by
  std::int64_t most = 0;             // of the call
  bool fits_no_day() const { return most > limit; }
};
std::optional<Exhausted> exhausted(const port::Account& account, const port::Spend& limit, const port::Spend& most);
event::Fault fault_of(const Exhausted& exhausted);

}  // namespace agentd::budget
