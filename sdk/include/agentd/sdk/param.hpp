// The names of a tool's parameters, the schema they make together with its signature, and reading them.
#pragma once
#include <agentd/sdk/signature.hpp>

#include <string>
#include <type_traits>
#include <vector>

namespace agentd::sdk {

// "width", {"width", "in metres"} or {"unit", "its unit", Unit::m}: a name, what it means, what it is when left out.
struct Param {
  Param(const char* its_name) : name(its_name) {}  // implicit: a list of names reads well
  Param(const char* its_name, const char* its_meaning) : name(its_name), meaning(its_meaning) {}
  template <class T>
  Param(const char* its_name, const char* its_meaning, const T& its_default) : name(its_name), meaning(its_meaning) {
    detail::write_result(fallback, its_default);
  }

  std::string name, meaning;
  std::string fallback;  // JSON; empty: none
};

namespace detail {

template <class T>
void append_property(std::string& properties, std::string& required, const Param& param) {
  comma(properties), write_string(properties, param.name), properties += ":{";
  Type<T>::schema(properties);
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

template <class T>
T read_argument(Json arguments, const Param& param) {
  return reading("argument \"" + param.name + "\"", [&]() -> T {
    const Json given = arguments[param.name];
    if (given) return Type<T>::read(given);
    if (!param.fallback.empty()) return Type<T>::read(Json(param.fallback));
    if constexpr (is_optional<T>) return T();
    throw Error("is missing");
  });
}

// A default that its own type could not read is a mistake of the author's, and is said when the instance is made.
template <class... A>
void check_defaults(List<A...>, [[maybe_unused]] const Param* param) {
  const auto check = [](const Param& p, auto read) {
    if (!p.fallback.empty()) reading("default of \"" + p.name + "\"", [&] { read(Json(p.fallback)); });
  };
  (check(*param++, [](Json json) { (void)Type<Stored<A>>::read(json); }), ...);
  (void)check;
}

}  // namespace detail
}  // namespace agentd::sdk
