// The names of a tool's parameters, the schema they make together with its signature, and reading them.
#pragma once
#include <agentd/sdk/signature.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace agentd::sdk {

// Bounds of a parameter that is a number, both included; made by between, at_least and at_most.
template <class T>
struct Range {
  static_assert(std::is_arithmetic_v<T> && !std::is_same_v<T, bool> && !detail::is_text_unit<T>, "agentd: the bounds of a range are numbers");
  std::optional<T> least, most;
};
template <class A, class B>
Range<std::common_type_t<A, B>> between(A least, B most) {
  return {least, most};
}
template <class T>
Range<T> at_least(T least) {
  return {least, {}};
}
template <class T>
Range<T> at_most(T most) {
  return {{}, most};
}

namespace detail {

// A parameter as the schema and the reader see it.
struct Param {
  std::string name, meaning;
  std::string fallback;       // JSON, what it is when left out; empty: none
  std::string least, most;    // JSON; empty: no bound

  std::string range() const {
    if (least.empty()) return "a number of at most " + most;
    return most.empty() ? "a number of at least " + least : "a number from " + least + " to " + most;
  }
};

template <class T>
struct WithoutOptional {
  using type = T;
};
template <class T>
struct WithoutOptional<std::optional<T>> {
  using type = T;
};
template <class T>
inline constexpr bool is_number = is_integer<T> || std::is_floating_point_v<T>;
template <class T>
inline constexpr bool is_text = std::is_same_v<T, std::string> || std::is_same_v<T, std::string_view> || std::is_same_v<T, Path>;
template <class T>
inline constexpr bool is_any_json = std::is_same_v<T, Raw> || std::is_same_v<T, Json>;

// Whether a D may be the default of a parameter T. Numbers do not become booleans, and text becomes nothing else.
template <class T, class D>
constexpr bool fits_as_default() {
  if constexpr (is_any_json<T>) {
    return true;
  } else if constexpr (is_integer<T>) {
    return is_integer<D>;
  } else if constexpr (std::is_floating_point_v<T>) {
    return is_number<D>;
  } else if constexpr (std::is_same_v<T, bool>) {
    return std::is_same_v<D, bool>;
  } else if constexpr (is_text<T>) {
    return std::is_same_v<D, T> || std::is_convertible_v<const D&, std::string_view>;
  } else {
    return std::is_convertible_v<const D&, T>;
  }
}

// What stands in the list of names for a parameter of type T: "width", {"width", "in metres"}, {"unit", "its unit", Unit::m},
// {"times", "how often", at_most(10)} or {"times", "how often", 1, between(1, 10)}.
template <class T>
struct ParamOf : Param {
  using Value = typename WithoutOptional<T>::type;

  ParamOf(const char* its_name) { name = its_name; }  // implicit: a list of names reads well
  ParamOf(const char* its_name, const char* its_meaning) : ParamOf(its_name) { meaning = its_meaning; }
  template <class D>
  ParamOf(const char* its_name, const char* its_meaning, const D& its_default) : ParamOf(its_name, its_meaning) {
    set_default(its_default);
  }
  template <class N>
  ParamOf(const char* its_name, const char* its_meaning, const Range<N>& range) : ParamOf(its_name, its_meaning) {
    set_range(range);
  }
  template <class D, class N>
  ParamOf(const char* its_name, const char* its_meaning, const D& its_default, const Range<N>& range) : ParamOf(its_name, its_meaning) {
    set_default(its_default);
    set_range(range);
  }

 private:
  template <class D>
  void set_default(const D& value) {
    constexpr bool fits = fits_as_default<Value, std::decay_t<D>>();
    static_assert(fits, "agentd: the default of a parameter is a value of the parameter's type");
    if constexpr (!fits) {
      return;
    } else if constexpr (is_number<Value> || is_any_json<Value>) {
      write_result(fallback, value);  // as it is: check_params says whether it fits
    } else if constexpr (std::is_convertible_v<const D&, std::string_view>) {
      write_string(fallback, value);
    } else {
      Type<Value>::write(fallback, value);
    }
  }
  template <class N>
  void set_range(const Range<N>& range) {
    static_assert(is_number<Value>, "agentd: only a parameter that is a number has a range");
    static_assert(!is_integer<Value> || is_integer<N>, "agentd: the range of an integer is given in integers");
    if constexpr (is_number<Value>) {
      if (range.least) least = to_json(*range.least);
      if (range.most) most = to_json(*range.most);
    }
  }
};

// The list of names of a body: one entry for each parameter that comes from JSON, and each knows its parameter's type.
template <class L>
struct Params;
template <class... A>
struct Params<List<A...>> {
  Params(ParamOf<std::decay_t<A>>... its) { (all.push_back(std::move(its)), ...); }  // implicit
  std::vector<Param> all;
};
template <class F, bool ok = CheckedBody<F>::ok>
struct ParamsFor {};
template <class F>
struct ParamsFor<F, true> {
  using type = Params<typename CheckedBody<F>::Rest>;
};
// Stands in a list that fits no body, so that the compiler can say so in a sentence.
struct AnyParam {
  AnyParam(const char*) {}
  template <class... Rest>
  AnyParam(const char*, const char*, const Rest&...) {}
};

template <class T>
void append_type(std::string& out, const Param& param) {
  using Value = typename WithoutOptional<T>::type;
  if constexpr (is_integer<Value>) {
    out += R"("type":"integer")";
    append_bounds(out, param.least.empty() ? own_minimum<Value>() : param.least, param.most.empty() ? own_maximum<Value>() : param.most);
  } else {
    Type<T>::schema(out);
    append_bounds(out, param.least, param.most);
  }
}

template <class T>
void append_property(std::string& properties, std::string& required, const Param& param) {
  comma(properties), write_string(properties, param.name), properties += ":{";
  append_type<T>(properties, param);
  if (!param.meaning.empty()) comma(properties), properties += "\"description\":", write_string(properties, param.meaning);
  if (!param.fallback.empty()) comma(properties), properties += "\"default\":" + param.fallback;
  properties += '}';
  if (!is_optional<T> && param.fallback.empty()) comma(required), write_string(required, param.name);
}

template <class... A>
std::string arguments_schema(List<A...>, [[maybe_unused]] const Param* param) {
  std::string properties = "{", required;
  (append_property<std::decay_t<A>>(properties, required, *param++), ...);
  return R"({"type":"object","properties":)" + properties + R"(},"required":[)" + required + R"(],"additionalProperties":false})";
}

// The range is checked here too, so that a body never sees what is outside of it, whoever calls.
template <class T>
T read_in_range(Json given, const Param& param) {
  T value = Type<T>::read(given);
  using Value = typename WithoutOptional<T>::type;
  if constexpr (is_number<Value>) {
    const auto check = [&](Value number) {
      const bool low = !param.least.empty() && number < Type<Value>::read(Json(param.least));
      const bool high = !param.most.empty() && number > Type<Value>::read(Json(param.most));
      if (low || high) given.mismatch(param.range().c_str());
    };
    if constexpr (!is_optional<T>) {
      check(value);
    } else if (value) {
      check(*value);
    }
  }
  return value;
}

template <class T>
T read_argument(Json arguments, const Param& param) {
  return reading("argument \"" + param.name + "\"", [&]() -> T {
    const Json given = arguments[param.name];
    if (given) return read_in_range<T>(given, param);
    if (!param.fallback.empty()) return Type<T>::read(Json(param.fallback));
    if constexpr (is_optional<T>) return T();
    throw Error("is missing");
  });
}

template <class T>
void check_param(const Param& param) {
  using Value = typename WithoutOptional<T>::type;
  if constexpr (is_number<Value>) {
    reading("range of \"" + param.name + "\"", [&] {
      const auto bound = [](const std::string& text) { return text.empty() ? Value() : Type<Value>::read(Json(text)); };
      const Value least = bound(param.least), most = bound(param.most);
      if (!param.least.empty() && !param.most.empty() && least > most) throw Error("nothing is " + param.range());
    });
  }
  if (!param.fallback.empty()) reading("default of \"" + param.name + "\"", [&] { (void)read_in_range<T>(Json(param.fallback), param); });
}
// What the types could not say about the defaults and ranges is said when the instance is made: that a value is too large, for one.
template <class... A>
void check_params(List<A...>, [[maybe_unused]] const Param* param) {
  (check_param<Stored<A>>(*param++), ...);
}

}  // namespace detail
}  // namespace agentd::sdk
