#include "core/tool/schema.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/base/json_text.hpp"
#include "core/tool/schema_compiler.hpp"

namespace agentd::tool {
namespace {

constexpr std::size_t kLongestSchema = 256 << 10;
constexpr std::uint64_t kMostWork = 100'000'000;
constexpr std::size_t kProblemsTold = 5;
constexpr const char* kTooMuchWork =
    "to check it against the schema takes too much work; make the value smaller or the schema simpler";
constexpr const char* kNobodyKnowsWhere = "does not fit the schema; to say where would take too much work";

// Nothing: it would take more work than there is.
std::optional<bool> checked(const CompiledSchema& schema, const nlohmann::json& value, Meter& meter,
                            valijson::ValidationResults* problems) {
  meter.told = problems;
  try {
    return fits(*schema.root, {value, {}, meter, problems});
  } catch (const Meter::Empty&) {
    return std::nullopt;
  }
}

std::string pointer_of(const Names& context) {
  std::string pointer;
  for (const auto& step : context) pointer += step.starts_with('[') ? '/' + step.substr(1, step.size() - 2) : step;
  return std::string(clip_utf8(pointer, kLongestShown));
}

// Of the library's words those that say again at each level that something below it is wrong are left out, and those that a model
// would not understand are put in other words.
std::string in_clear_words(const std::string& description) {
  static constexpr std::pair<std::string_view, std::string_view> kWords[] = {
      {"Failed to validate item #", ""},
      {"Failed to validate against child schema #", ""},
      {"Failed to validate against a conditional schema", ""},
      {"Failed to validate against any ", "fits none of the alternatives"},
      {"Failed to validate against exactly one ", "fits more than one of the alternatives, of which it must fit exactly one"},
      {"Failed to any values ", "has no item of the kind that it must contain"},
      {"Target should not validate ", "fits what it must not fit"}};
  for (const auto& [begin, words] : kWords)
    if (description.starts_with(begin)) return std::string(words);
  return description;
}

std::vector<Misfit> told(const valijson::ValidationResults& problems) {
  std::vector<Misfit> all;
  for (const auto& problem : problems) {
    auto words = in_clear_words(problem.description);
    if (!words.empty() && all.size() < kProblemsTold) all.push_back({pointer_of(problem.context), std::move(words)});
  }
  return all.empty() ? std::vector<Misfit>{{"", kNobodyKnowsWhere}} : all;
}

}  // namespace

Schema::Schema(std::unique_ptr<const CompiledSchema> compiled) : compiled_(std::move(compiled)) {}
Schema::Schema(Schema&&) noexcept = default;
Schema& Schema::operator=(Schema&&) noexcept = default;
Schema::~Schema() = default;

Result<Schema> Schema::compile(std::string_view text) {
  if (text.size() > kLongestSchema)
    return fail(ErrorClass::schema, "this JSON Schema is longer than " + std::to_string(kLongestSchema >> 10) + " KiB");
  const auto parsed = parse_strict(text, Integers::any);
  if (!parsed) return fail(ErrorClass::schema, "this JSON Schema is " + parsed.error().message);
  auto compiled = compile_schema(*parsed);
  if (!compiled) return fail(ErrorClass::schema, "this JSON Schema cannot be handled: " + compiled.error().message);
  return Schema(std::move(*compiled));
}

Result<void> Schema::check(const nlohmann::json& value) const {
  const auto wrong = misfits(value);
  if (wrong.empty()) return {};
  std::string all;
  for (const auto& [pointer, words] : wrong)
    all += (all.empty() ? "" : "; ") + (pointer.empty() ? "the value" : pointer) + ": " + words;
  return fail(ErrorClass::schema, all);
}

std::vector<Misfit> Schema::misfits(const nlohmann::json& value) const {
  Meter meter(kMostWork);
  const auto fits = checked(*compiled_, value, meter, nullptr);
  if (!fits) return {{"", kTooMuchWork}};
  if (*fits) return {};
  valijson::ValidationResults problems;  // as many as are found with the work that is left
  static_cast<void>(checked(*compiled_, value, meter, &problems));
  return told(problems);
}

}  // namespace agentd::tool
