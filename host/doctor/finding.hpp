// What `agentd doctor` has to say of one thing.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace agentd::doctor {

enum class State : std::uint8_t { ok, warning, failed };
const char* name(State state);

struct Finding {
  State state = State::ok;
  std::string check;   // "provider openai"
  std::string found;   // what is there
  std::string advice;  // what to do about it, one sentence; empty with ok
};
using Findings = std::vector<Finding>;

inline Finding ok(std::string check, std::string found) { return {State::ok, std::move(check), std::move(found), {}}; }
inline Finding warning(std::string check, std::string found, std::string advice) { return {State::warning, std::move(check), std::move(found), std::move(advice)}; }
inline Finding failed(std::string check, std::string found, std::string advice) { return {State::failed, std::move(check), std::move(found), std::move(advice)}; }

}  // namespace agentd::doctor
