// What valijson does not do as the engine needs it: patterns in linear time, numbers of 64 bits and beyond, equality whose cost
// is known, and words from which a model sees what would be right. Each rule becomes a constraint of valijson's.
#pragma once
#include "core/tool/schema_value.hpp"
// After the macro that schema_value.hpp sets.
#include <functional>
#include <map>
#include <string_view>
#include <valijson/constraints/concrete_constraints.hpp>
#include <valijson/validation_results.hpp>
#include <vector>

#include "core/tool/pattern.hpp"

namespace agentd::tool {

using valijson::Subschema;
using Names = std::vector<std::string>;

inline constexpr std::size_t kLongestShown = 200;

struct At {
  const nlohmann::json& value;
  const Names& context;  // where it stands: "/name" or, as valijson writes it, "[0]"
  Meter& meter;
  valijson::ValidationResults* results;  // nothing: nobody wants to know
};
using Rule = std::function<bool(const At&)>;

bool fits(const Subschema& schema, const At& at);

// A key as it stands in a JSON pointer (RFC 6901), cut when it is long.
std::string pointer_token(std::string_view key);

// The first rule of each subschema pays for what the library does there.
Rule visit(std::size_t rules);
Rule never();
Rule types(Names allowed);
Rule choices(const nlohmann::json& values);  // enum and const
Rule bound(std::string_view keyword, const nlohmann::json& limit);
Rule matches(const Pattern* pattern, std::string otherwise);
Rule unique();
Rule required(Names names);

struct Properties {
  std::map<std::string, const Subschema*, std::less<>> named;
  std::vector<std::pair<const Pattern*, const Subschema*>> matching;
  const Subschema* rest = nullptr;
  bool closed = false;  // the rest is false
};
Rule properties(Properties properties);
Rule property_names(const Subschema* name);

class RuleConstraint final : public valijson::constraints::PolyConstraint {
 public:
  explicit RuleConstraint(Rule rule) : rule_(std::move(rule)) {}
  bool validate(const valijson::adapters::Adapter& target, const Names& context,
                valijson::ValidationResults* results) const override {
    const auto& value = static_cast<const SchemaValue&>(target);  // there is no other, since property_names is ours
    return rule_({value.json, context, value.meter, results});
  }

 private:
  valijson::constraints::Constraint* cloneInto(void* where) const override { return new (where) RuleConstraint(*this); }
  std::size_t sizeOf() const override { return sizeof(RuleConstraint); }
  Rule rule_;
};

}  // namespace agentd::tool
