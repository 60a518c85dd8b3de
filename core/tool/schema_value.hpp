// A JSON value as valijson sees it, with the meter of the check. valijson's own adapter takes 3.0 for no integer, ends texts at a
// NUL and does not give back the value that it stands for.
#pragma once
#define VALIJSON_USE_EXCEPTIONS 1  // without it the library ends the process where it would throw
#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <valijson/internal/basic_adapter.hpp>

namespace valijson {
class ValidationResults;
}

namespace agentd::tool {

// What one check of a value may cost: the library has no bound of its own.
class Meter {
 public:
  struct Empty {};  // thrown through the library, caught by who asked it

  // In steps of some nanoseconds. The stack is counted from here.
  explicit Meter(std::uint64_t steps) : steps_(steps), stack_(here()) {}

  const valijson::ValidationResults* told = nullptr;  // the problems that are told in the end; those of an alternative may not be

  void spend(std::uint64_t steps) {
    if (steps > steps_ || stack_used() > kMostStack) throw Empty{};
    steps_ -= steps;
  }
  std::uint64_t left() const { return steps_; }
  std::uint64_t stack_used() const { return std::max(stack_, here()) - std::min(stack_, here()); }

 private:
  static constexpr std::uint64_t kMostStack = 2 << 20;  // of the eight megabytes that a thread has
  static std::uintptr_t here() { return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)); }

  std::uint64_t steps_;
  const std::uintptr_t stack_;
};

class SchemaValue;
using SchemaMember = std::pair<std::string, SchemaValue>;

// The items of an array or the members of an object.
template <class Item>
class SchemaRange {
 public:
  class const_iterator {
   public:
    const_iterator(nlohmann::json::const_iterator at, Meter* meter) : at_(std::move(at)), meter_(meter) {}
    Item operator*() const {
      if constexpr (std::is_same_v<Item, SchemaValue>)
        return Item(*at_, *meter_);
      else
        return Item(at_.key(), typename Item::second_type(*at_, *meter_));
    }
    valijson::adapters::DerefProxy<Item> operator->() const { return valijson::adapters::DerefProxy<Item>(**this); }
    bool operator==(const const_iterator& other) const { return at_ == other.at_; }
    const_iterator& operator++() { return ++at_, *this; }
    const_iterator operator++(int) { return const_iterator(at_++, meter_); }
    const_iterator& operator--() { return --at_, *this; }
    void advance(std::ptrdiff_t by) { at_ += by; }

   private:
    nlohmann::json::const_iterator at_;
    Meter* meter_;
  };

  SchemaRange() = default;
  SchemaRange(const nlohmann::json& value, Meter& meter) : value_(&value), meter_(&meter) {}
  const_iterator begin() const { return {value_->begin(), meter_}; }
  const_iterator end() const { return {value_->end(), meter_}; }
  const_iterator find(const std::string& name) const { return {value_->find(name), meter_}; }
  std::size_t size() const { return value_->size(); }

 private:
  static const nlohmann::json& nothing() {
    static const nlohmann::json null;
    return null;
  }
  const nlohmann::json* value_ = &nothing();
  Meter* meter_ = nullptr;
};

// What valijson's adapter is made of. Numbers, equality and their like are left to our own rules (schema_rules.hpp).
class SchemaView {
 public:
  SchemaView(const nlohmann::json& value, Meter& meter) : value_(value), meter_(meter) {}

  opt::optional<SchemaRange<SchemaValue>> getArrayOptional() const { return SchemaRange<SchemaValue>(value_, meter_); }
  opt::optional<SchemaRange<SchemaMember>> getObjectOptional() const { return SchemaRange<SchemaMember>(value_, meter_); }
  bool getArraySize(std::size_t& size) const { return isArray() && (size = value_.size(), true); }
  bool getObjectSize(std::size_t& size) const { return isObject() && (size = value_.size(), true); }
  bool getString(std::string& text) const {  // it only counts the characters, up to a NUL
    if (!isString()) return false;
    const auto& utf8 = value_.get_ref<const std::string&>();
    const auto count = std::ranges::count_if(utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
    text.assign(static_cast<std::size_t>(count), 'x');
    return true;
  }
  bool isArray() const { return value_.is_array(); }
  bool isObject() const { return value_.is_object(); }
  bool isString() const { return value_.is_string(); }
  static bool hasStrictTypes() { return true; }

  static bool getBool(bool&) { return false; }
  static bool getDouble(double&) { return false; }
  static bool getInteger(std::int64_t&) { return false; }
  static bool isBool() { return false; }
  static bool isDouble() { return false; }
  static bool isInteger() { return false; }
  static bool isNull() { return false; }
  static bool isNumber() { return false; }
  static valijson::adapters::FrozenValue* freeze() { return nullptr; }

 private:
  const nlohmann::json& value_;
  Meter& meter_;
};

class SchemaValue : public valijson::adapters::BasicAdapter<SchemaValue, SchemaRange<SchemaValue>, SchemaMember,
                                                            SchemaRange<SchemaMember>, SchemaView> {
 public:
  SchemaValue(const nlohmann::json& value, Meter& meter) : BasicAdapter(SchemaView(value, meter)), json(value), meter(meter) {}

  const nlohmann::json& json;
  Meter& meter;
};

}  // namespace agentd::tool
