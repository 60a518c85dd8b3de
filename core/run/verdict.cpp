#include "core/run/verdict.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/json_text.hpp"

namespace agentd::run {
namespace {

constexpr int kReasks = 1;

struct Complaint {
  ErrorClass error_class;
  std::string words;  // to the model; and to people when it does not help
};

// Some models wrap JSON in a fence whatever they are told.
std::string_view without_fence(std::string_view text) {
  const auto trim = [](std::string_view s) {
    const auto first = s.find_first_not_of(" \t\r\n");
    return first == s.npos ? std::string_view() : s.substr(first, s.find_last_not_of(" \t\r\n") - first + 1);
  };
  text = trim(text);
  const auto line = text.find('\n');
  if (!text.starts_with("```") || !text.ends_with("```") || line == text.npos || text.size() < line + 4) return text;
  return trim(text.substr(line + 1, text.size() - line - 4));
}

std::optional<Complaint> check_output(const tool::Schema& schema, std::string_view json) {
  const auto parsed = tool::parse_strict(json);
  if (!parsed) return Complaint{ErrorClass::schema, "The answer must be one JSON document and nothing else; it is " + parsed.error().message + "."};
  const auto fits = schema.check(*parsed);
  if (!fits) return Complaint{ErrorClass::schema, "The answer does not fit the schema asked for: " + fits.error().message + '.'};
  return std::nullopt;
}

std::optional<Complaint> check_required(const manifest::AgentSpec& spec, const State& state) {
  std::string missing;
  for (const auto& tool : spec.task.require)
    if (std::ranges::find(state.succeeded, tool) == state.succeeded.end()) missing += (missing.empty() ? "" : ", ") + tool;
  if (missing.empty()) return std::nullopt;
  return Complaint{ErrorClass::terminal, "The task is not done: these tools must have succeeded first: " + missing + '.'};
}

std::optional<Complaint> check(const Agent& agent, const State& state, const port::Answer& answer, std::string_view text) {
  if (answer.finish_reason == port::FinishReason::length)
    return Complaint{ErrorClass::terminal, "The answer was cut off at the limit of output tokens; answer again and be shorter."};
  if (answer.text.find_first_not_of(" \t\r\n") == std::string::npos) return Complaint{ErrorClass::terminal, "The answer was empty; answer with a text or call a tool."};
  if (auto missing = check_required(agent.spec, state)) return missing;
  return agent.output ? check_output(*agent.output, text) : std::nullopt;
}

}  // namespace

Verdict judge(const Agent& agent, const State& state, const port::Answer& answer) {
  if (!answer.calls.empty()) return CallTools{};
  if (answer.finish_reason == port::FinishReason::filter)
    return GiveUp{{ErrorClass::policy, "the provider's content filter stopped the answer"}};
  const auto text = agent.output ? without_fence(answer.text) : std::string_view(answer.text);
  if (auto complaint = check(agent, state, answer, text)) {
    if (state.notes < kReasks) return AskAgain{{json_string(complaint->words)}};
    return GiveUp{{complaint->error_class, "the model's answer could not be used, also after it was told: " + complaint->words}};
  }
  return agent.output ? Final{{std::string(text)}} : Final{};
}

event::Json result_of(const Agent& agent, std::string_view text, const event::Json& json) {
  return agent.output ? event::Json{std::string(without_fence(text))} : json;
}

}  // namespace agentd::run
