// A JSON Schema (draft 7), compiled once and asked often. valijson checks; whoever wrote the schema and whoever wrote the value
// are not trusted, so what compiling and checking may cost is bounded around it.
#pragma once
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/tool/strict_json.hpp"

namespace agentd::tool {

struct CompiledSchema;

// What is wrong with a value, at one place in it.
struct Misfit {
  std::string pointer;  // JSON pointer; "": the value itself
  std::string words;    // "expected array, got string"
};

// Immutable; any thread.
class Schema {
 public:
  // An error says where in the schema is what cannot be handled: references that lead out of it, nowhere or in a circle, wrong
  // types of keywords, patterns that are broken or that no linear matcher has, and what would cost too much
  // (schema_compiler.hpp). At most 256 KiB. Bounds beyond 64 bits are taken for the nearest double.
  static Result<Schema> compile(std::string_view json);
  Schema(Schema&&) noexcept;
  Schema& operator=(Schema&&) noexcept;
  ~Schema();

  // ErrorClass::schema with at most five places and what is wrong there, or that a check would take too much work: it is given up
  // after some tenths of a second, whatever schema and value are. 3.0 is an integer.
  Result<void> check(const nlohmann::json& value) const;
  // The same, place by place; nothing: it fits.
  std::vector<Misfit> misfits(const nlohmann::json& value) const;

 private:
  explicit Schema(std::unique_ptr<const CompiledSchema> compiled);
  std::unique_ptr<const CompiledSchema> compiled_;
};

}  // namespace agentd::tool
