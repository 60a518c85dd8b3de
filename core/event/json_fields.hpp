// Reading and writing JSON objects as text, without a tree: members are slices of the text they stand in.
// Made for text that is known to be JSON (our own records, results the host has checked). Anything else gives a failed read or a
// slice that is not JSON, never an access outside the text.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace agentd::event {

// One JSON value, serialised. Empty: there is none.
struct Json {
  std::string text;
  explicit operator bool() const { return !text.empty(); }
  friend bool operator==(const Json&, const Json&) = default;
};

class ObjectWriter {
 public:
  // Keys are plain: nothing in them needs escaping.
  ObjectWriter& raw(std::string_view key, std::string_view json);
  ObjectWriter& text(std::string_view key, std::string_view value);
  ObjectWriter& number(std::string_view key, std::int64_t value);
  ObjectWriter& flag(std::string_view key, bool value);
  std::string finish();

 private:
  void key(std::string_view key);
  std::string out_ = "{";
};

// The members of one object. The text outlives it.
class ObjectReader {
 public:
  static std::optional<ObjectReader> open(std::string_view object);
  // The member's value as it stands in the text; empty when there is none or it is null.
  std::string_view raw(std::string_view key) const;
  std::string text(std::string_view key) const;  // decoded; empty when it is no string
  std::int64_t number(std::string_view key, std::int64_t fallback = 0) const;
  bool flag(std::string_view key) const { return raw(key) == "true"; }
  bool has(std::string_view key) const { return !raw(key).empty(); }
  Json json(std::string_view key) const { return {std::string(raw(key))}; }

 private:
  std::vector<std::pair<std::string_view, std::string_view>> members_;
};

// The elements of an array as they stand in the text; nothing when it is no array.
std::optional<std::vector<std::string_view>> array_elements(std::string_view array);
// A JSON string decoded; nothing when it is none.
std::optional<std::string> string_value(std::string_view json);

}  // namespace agentd::event
