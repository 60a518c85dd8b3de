#include "core/run/repetition.hpp"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "core/base/json_text.hpp"
#include "core/tool/canonical_json.hpp"

namespace agentd::run {
namespace {

// Longer arguments are the same when their bytes are: they are neither kept nor parsed for this.
constexpr std::size_t kLongestCompared = 64 << 10;
constexpr std::size_t kMostNamed = 3;

std::size_t hash_of(std::string_view text) { return std::hash<std::string_view>()(text); }

std::string kept_text(std::string_view arguments) {
  return arguments.size() <= kLongestCompared ? std::string(arguments) : '#' + std::to_string(hash_of(arguments));
}

std::string canonical_text(std::string_view json) {
  const auto parsed = nlohmann::json::parse(json, nullptr, false);
  std::string text;
  const bool whole = !parsed.is_discarded() && tool::append_canonical(text, parsed, SIZE_MAX);
  return whole ? text : std::string(json);
}

}  // namespace

Repetition::Kept Repetition::keep(const Deed& deed) {
  return {std::string(deed.tool), kept_text(deed.arguments), hash_of(deed.result)};
}

bool Repetition::same(const Kept& kept, const Deed& deed) {
  if (kept.result != hash_of(deed.result) || kept.tool != deed.tool) return false;
  if (deed.arguments.size() > kLongestCompared) return kept.arguments == kept_text(deed.arguments);
  return kept.arguments == deed.arguments || canonical_text(kept.arguments) == canonical_text(deed.arguments);
}

int Repetition::with(std::span<const Deed> step) const {
  if (step.size() != last_.size()) return 1;
  std::vector<bool> matched(last_.size());
  for (const auto& deed : step) {
    std::size_t i = 0;
    while (i < last_.size() && (matched[i] || !same(last_[i], deed))) ++i;
    if (i == last_.size()) return 1;
    matched[i] = true;
  }
  return times_ + 1;
}

void Repetition::take(std::span<const Deed> step) {
  times_ = with(step);
  if (times_ > 1) return;
  last_.clear();
  last_.reserve(step.size());
  for (const auto& deed : step) last_.push_back(keep(deed));
}

event::Json repetition_note() {
  return {json_string("You have made the same tool calls with the same arguments " + std::to_string(kTellAfter) +
                      " times in a row, and the results were the same each time. Making them again will not help: do something "
                      "else, or give your final answer.")};
}

event::Fault Repetition::fault() const {
  std::string tools;
  for (std::size_t i = 0; i < std::min(last_.size(), kMostNamed); ++i) (tools += tools.empty() ? "" : ", ") += last_[i].tool;
  if (last_.size() > kMostNamed) tools += ", ...";
  return {ErrorClass::loop, "the run goes in circles: the last " + std::to_string(kEndAfter) +
                                " steps made the same tool calls (" + tools +
                                ") with the same arguments and got the same results, also after the model was told"};
}

}  // namespace agentd::run
