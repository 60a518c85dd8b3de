#include "core/tool/schema_repetition.hpp"

#include <unordered_map>

#include "core/tool/schema_compiler.hpp"

namespace agentd::tool {
namespace {

// The subschemas that a rule applies to the very value that it checks.
struct SameValue {
  std::vector<const Node*> operator()(const Combined& rule) const { return rule.parts; }
  std::vector<const Node*> operator()(const Not& rule) const { return {rule.excluded}; }
  std::vector<const Node*> operator()(const Conditional& rule) const { return {rule.condition, rule.then, rule.otherwise}; }
  std::vector<const Node*> operator()(const Dependencies& rule) const {
    std::vector<const Node*> all;
    for (const auto& [name, needed] : rule.of)
      if (const auto* node = std::get_if<const Node*>(&needed)) all.push_back(*node);
    return all;
  }
  std::vector<const Node*> operator()(const auto&) const { return {}; }
};

class Count {
 public:
  struct Stands {
    std::size_t checks = 1;  // of one value
    std::size_t height = 1;
  };
  std::optional<Repetition> found;

  // What the node stands for; each node is counted once. The depth of the recursion is itself what it bounds.
  Stands of(const Node* node, std::size_t depth) {
    const auto [known, fresh] = counted_.try_emplace(node, kCounting);
    if (!fresh && known->second.height == 0) return refuse(node, "it comes back to itself for one value without end");
    if (!fresh) return known->second;
    if (depth == kDeepestCombination) return refuse_depth(node);
    Stands all;
    for (const auto& rule : node->rules) {
      for (const auto* part : std::visit(SameValue(), rule)) {
        if (!part || found) continue;
        const auto one = of(part, depth + 1);
        all.checks += one.checks;
        all.height = std::max(all.height, one.height + 1);
      }
    }
    if (all.checks > kMostPerValue)
      return refuse(node, "with its references followed it has one value checked against more than " +
                              std::to_string(kMostPerValue) + " subschemas");
    if (all.height > kDeepestCombination) return refuse_depth(node);
    return counted_[node] = all;
  }

 private:
  static constexpr Stands kCounting{0, 0};
  Stands refuse(const Node* node, std::string words) {
    if (!found) found = Repetition{node, std::move(words)};
    return {};
  }
  Stands refuse_depth(const Node* node) {
    return refuse(
        node, "allOf, anyOf, oneOf, not, if and dependencies combine more than " + std::to_string(kDeepestCombination) + " deep");
  }
  std::unordered_map<const Node*, Stands> counted_;
};

}  // namespace

std::optional<Repetition> check_repetition(const Rules& rules) {
  Count count;
  for (const auto& node : rules.nodes)
    if (!count.found) count.of(&node, 0);
  return std::move(count.found);
}

}  // namespace agentd::tool
