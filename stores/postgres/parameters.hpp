// The values of one statement, in PostgreSQL's binary format.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace agentd::postgres {

void append_int32(std::string& out, std::int32_t value);
void append_int64(std::string& out, std::int64_t value);

// A column of many rows: one array parameter, for unnest(). Integers are int8[], texts text[], bytes bytea[].
class Column {
 public:
  enum class Type : std::int32_t { int8 = 20, text = 25, bytea = 17 };  // PostgreSQL's numbers of types
  explicit Column(Type type) : type_(type) {}
  void add(std::int64_t value);
  void add(std::string_view bytes);
  void add_null();
  std::int32_t count() const { return count_; }
  std::string binary() const;

 private:
  Type type_;
  std::int32_t count_ = 0;
  bool has_null_ = false;
  std::string elements_;
};

class Parameters {
 public:
  template <class... A>
  explicit Parameters(const A&... values) {
    (add(values), ...);
  }
  void add(std::int64_t value);
  void add(std::string_view bytes) { values_.emplace_back(bytes); }
  void add(const Column& column) { values_.push_back(column.binary()); }
  const std::vector<std::string>& values() const { return values_; }

 private:
  std::vector<std::string> values_;
};

}  // namespace agentd::postgres
