#include "core/tool/schema.hpp"

#include <cmath>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
// Without this the library ends the process where it would throw.
#define VALIJSON_USE_EXCEPTIONS 1
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "core/base/json_text.hpp"

namespace agentd::tool {
namespace {

using nlohmann::json;
using Adapter = valijson::adapters::NlohmannJsonAdapter;

constexpr std::size_t kLongestMatched = 4096;
constexpr int kPlacesTold = 5;

// Whether texts are matched against patterns. They are compiled by the validator when they are first used; a broken one throws here,
// not in a run.
bool uses_patterns(const json& schema) {
  if (!schema.is_structured()) return false;
  bool used = false;
  if (schema.is_array()) {
    for (const auto& element : schema) used = uses_patterns(element) || used;
    return used;
  }
  for (const auto& [key, value] : schema.items()) {
    if (key == "enum" || key == "const" || key == "default" || key == "examples") continue;  // values, not schemas
    if (key == "pattern" && value.is_string()) static_cast<void>(std::regex(value.get<std::string>()));
    if (key == "patternProperties" && value.is_object())
      for (const auto& [pattern, ignored] : value.items()) static_cast<void>(std::regex(pattern));
    used = uses_patterns(value) || key == "pattern" || key == "patternProperties" || key == "format" || used;
  }
  return used;
}

bool has_long_text(const json& value) {
  if (value.is_string()) return value.get_ref<const std::string&>().size() > kLongestMatched;
  if (!value.is_structured()) return false;
  for (const auto& [key, element] : value.items())
    if (key.size() > kLongestMatched || has_long_text(element)) return true;
  return false;
}

// A reference followed to something that is no reference; the parser would follow a circle for ever.
Result<void> check_references(const json& root, const json& node) {
  if (node.is_object() && node.contains("$ref") && node["$ref"].is_string()) {
    std::set<std::string> seen;
    const json* at = &node;
    while (at->is_object() && at->contains("$ref") && (*at)["$ref"].is_string()) {
      const auto& target = (*at)["$ref"].get_ref<const std::string&>();
      if (!target.starts_with('#')) return fail(ErrorClass::schema, "the reference \"" + target + "\" leads outside the schema, which is not supported yet");
      if (!seen.insert(target).second) return fail(ErrorClass::schema, "the reference \"" + target + "\" leads in a circle");
      const json::json_pointer pointer(target.substr(1));
      if (!root.contains(pointer)) return fail(ErrorClass::schema, "the reference \"" + target + "\" leads nowhere");
      at = &root.at(pointer);
    }
  }
  if (!node.is_structured()) return {};
  for (const auto& element : node)
    if (auto checked = check_references(root, element); !checked) return checked;
  return {};
}

// The validator takes 3.0 for no integer, JSON Schema takes it for one.
bool has_whole_floats(const json& value) {
  if (value.is_number_float()) {
    const auto number = value.get<double>();
    return std::trunc(number) == number && std::abs(number) < 9e15;
  }
  if (!value.is_structured()) return false;
  for (const auto& element : value)
    if (has_whole_floats(element)) return true;
  return false;
}

void make_whole(json& value) {
  if (value.is_structured()) {
    for (auto& element : value) make_whole(element);
  } else if (has_whole_floats(value)) {
    value = static_cast<std::int64_t>(value.get<double>());
  }
}

std::string pointer_of(const std::vector<std::string>& context) {
  std::string pointer;
  for (std::size_t i = 1; i < context.size(); ++i) {  // "<root>" "[name]" "[0]"
    const auto& part = context[i];
    pointer += '/' + (part.size() > 2 && part.front() == '[' ? part.substr(1, part.size() - 2) : part);
  }
  return pointer.empty() ? "the value" : pointer;
}

}  // namespace

struct Schema::Compiled {
  valijson::Schema schema;
  valijson::Validator validator;
  bool patterns = false;
};

Schema::Schema(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
Schema::Schema(Schema&&) noexcept = default;
Schema& Schema::operator=(Schema&&) noexcept = default;
Schema::~Schema() = default;

Result<Schema> Schema::compile(std::string_view text) {
  const auto parsed = parse_strict(text);
  if (!parsed) return std::unexpected(parsed.error());
  if (!parsed->is_object() && !parsed->is_boolean()) return fail(ErrorClass::schema, "a JSON Schema is an object");
  auto compiled = std::make_unique<Compiled>();
  try {
    if (auto checked = check_references(*parsed, *parsed); !checked) return std::unexpected(checked.error());
    compiled->patterns = uses_patterns(*parsed);
    valijson::SchemaParser parser;
    const Adapter adapter(*parsed);
    parser.populateSchema(adapter, compiled->schema);
  } catch (const std::exception& e) {
    return fail(ErrorClass::schema, std::string("this JSON Schema cannot be handled: ") + e.what());
  }
  return Schema(std::move(compiled));
}

Result<void> Schema::check(const json& value) const {
  try {
    if (compiled_->patterns && has_long_text(value))
      return fail(ErrorClass::schema, "a text is longer than 4096 bytes, which is too long where the schema has patterns");
    json whole;
    const json* checked = &value;
    if (has_whole_floats(value)) {
      make_whole(whole = value);
      checked = &whole;
    }
    const Adapter adapter(*checked);
    if (compiled_->validator.validate(compiled_->schema, adapter, nullptr)) return {};
    valijson::ValidationResults results;
    compiled_->validator.validate(compiled_->schema, adapter, &results);
    std::string message;
    valijson::ValidationResults::Error error;
    for (int i = 0; i < kPlacesTold && results.popError(error); ++i) {
      if (!message.empty()) message += "; ";
      message += pointer_of(error.context) + ": " + error.description;
    }
    return fail(ErrorClass::schema, message.empty() ? "it does not fit the schema" : message);
  } catch (const std::exception& e) {
    return fail(ErrorClass::schema, std::string("it cannot be checked against the schema: ") + e.what());
  }
}

Result<json> parse_strict(std::string_view text) {
  if (!is_json(text)) return fail(ErrorClass::schema, "not one valid JSON document (UTF-8, at most 64 deep, no key twice)");
  auto parsed = json::parse(text.begin(), text.end(), nullptr, false);
  if (parsed.is_discarded()) return fail(ErrorClass::schema, "not valid JSON");
  return parsed;
}

}  // namespace agentd::tool
