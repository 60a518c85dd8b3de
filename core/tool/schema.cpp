#include "core/tool/schema.hpp"

#include <nlohmann/json.hpp>

#include "core/tool/schema_checker.hpp"
#include "core/tool/schema_compiler.hpp"

namespace agentd::tool {
namespace {

constexpr std::size_t kLongestSchema = 256 << 10;
constexpr std::uint64_t kMostWork = 100'000'000;

}  // namespace

struct Schema::Compiled {
  Rules rules;
};

Schema::Schema(std::unique_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
Schema::Schema(Schema&&) noexcept = default;
Schema& Schema::operator=(Schema&&) noexcept = default;
Schema::~Schema() = default;

Result<Schema> Schema::compile(std::string_view text) {
  if (text.size() > kLongestSchema)
    return fail(ErrorClass::schema, "this JSON Schema is longer than " + std::to_string(kLongestSchema >> 10) + " KiB");
  const auto parsed = parse_strict(text, Integers::any);
  if (!parsed) return fail(ErrorClass::schema, "this JSON Schema is " + parsed.error().message);
  auto rules = compile_rules(*parsed);
  if (!rules) return fail(ErrorClass::schema, "this JSON Schema cannot be handled: " + rules.error().message);
  return Schema(std::make_unique<Compiled>(std::move(*rules)));
}

Result<void> Schema::check(const nlohmann::json& value) const {
  const auto findings = check_rules(compiled_->rules, value, kMostWork);
  if (findings.exhausted)
    return fail(ErrorClass::schema,
                "it takes too much work to check this value against the schema; make the value smaller or the schema simpler");
  if (findings.fits) return {};
  std::string words;
  for (const auto& problem : findings.problems) words += (words.empty() ? "" : "; ") + problem;
  return fail(ErrorClass::schema, words);
}

}  // namespace agentd::tool
