// A JSON Schema (draft 7), compiled once and asked often.
#pragma once
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "core/base/result.hpp"

namespace agentd::tool {

// Immutable once compiled, but one thread at a time: the validator keeps a cache of its patterns.
class Schema {
 public:
  // An error says what in the schema cannot be handled: remote references, wrong types of keywords, broken patterns, references
  // that lead in a circle.
  static Result<Schema> compile(std::string_view json);
  Schema(Schema&&) noexcept;
  Schema& operator=(Schema&&) noexcept;
  ~Schema();

  // ErrorClass::schema with at most five places and what is wrong there. 3.0 is an integer. A text longer than 4 KiB does not fit
  // a schema with patterns: matching takes a stack frame per character.
  Result<void> check(const nlohmann::json& value) const;

 private:
  struct Compiled;
  explicit Schema(std::unique_ptr<Compiled> compiled);
  std::unique_ptr<Compiled> compiled_;
};

// One valid JSON document in UTF-8, at most 64 deep, without duplicate keys. The error is for a model to read.
Result<nlohmann::json> parse_strict(std::string_view text);

}  // namespace agentd::tool
