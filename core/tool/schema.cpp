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

std::string place_of(const Names& context) {
  std::string pointer;
  for (const auto& step : context) pointer += step.starts_with('[') ? '/' + step.substr(1, step.size() - 2) : step;
  return pointer.empty() ? "the value" : std::string(clip_utf8(pointer, kLongestShown));
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

std::string told(const valijson::ValidationResults& problems) {
  std::string all;
  std::size_t count = 0;
  for (const auto& problem : problems) {
    const auto words = in_clear_words(problem.description);
    if (words.empty() || count == kProblemsTold) continue;
    all += (count++ == 0 ? "" : "; ") + place_of(problem.context) + ": " + words;
  }
  return all.empty() ? "the value does not fit the schema; to say where would take too much work" : all;
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
  Meter meter(kMostWork);
  const auto fits = checked(*compiled_, value, meter, nullptr);
  if (!fits)
    return fail(ErrorClass::schema,
                "it takes too much work to check this value against the schema; make the value smaller or the schema simpler");
  if (*fits) return {};
  valijson::ValidationResults problems;  // as many as are found with the work that is left
  static_cast<void>(checked(*compiled_, value, meter, &problems));
  return fail(ErrorClass::schema, told(problems));
}

}  // namespace agentd::tool
