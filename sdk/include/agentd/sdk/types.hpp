// What a C++ type looks like in JSON: its schema, how it is read, how it is written.
// bool, integers, floating point, std::string, std::vector, std::map<std::string, T>, std::optional, Raw, Path, Secret; enums with
// AGENTD_CHOICES, structs with AGENTD_FIELDS (fields.hpp); for a type of your own specialise agentd::sdk::Type.
#pragma once
#include <agentd/sdk/json.hpp>

#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace agentd::sdk {
namespace detail {

template <class T>
struct always_false : std::false_type {};
template <class T>
inline constexpr bool is_text_unit = std::is_same_v<T, char> || std::is_same_v<T, wchar_t> || std::is_same_v<T, char16_t> ||
#if defined(__cpp_char8_t)
                                     std::is_same_v<T, char8_t> ||
#endif
                                     std::is_same_v<T, char32_t>;
template <class T>
inline constexpr bool is_integer = std::is_integral_v<T> && !std::is_same_v<T, bool> && !is_text_unit<T>;

// Puts the place in front of an error that happens while reading it.
template <class F>
decltype(auto) reading(std::string_view place, F&& read) {
  try {
    return read();
  } catch (const Error& e) {
    throw Error(std::string(place) + ": " + e.what(), e.failure, e.retry_after_ms);
  }
}

inline void comma(std::string& out) {
  if (!out.empty() && out.back() != '{' && out.back() != '[') out += ',';
}

// The bounds that an integer's schema shows where nobody has stated a range: JSON, or empty. Those of 32 and 64 bits tell a reader nothing
// and would be paid for with every request to a model; what does not fit is refused when it is read.
template <class T>
std::string own_minimum() {
  return sizeof(T) < 4 || std::is_unsigned_v<T> ? std::to_string((std::numeric_limits<T>::min)()) : std::string();
}
template <class T>
std::string own_maximum() {
  return sizeof(T) < 4 ? std::to_string((std::numeric_limits<T>::max)()) : std::string();
}
inline void append_bounds(std::string& out, const std::string& minimum, const std::string& maximum) {
  if (!minimum.empty()) comma(out), out += "\"minimum\":" + minimum;
  if (!maximum.empty()) comma(out), out += "\"maximum\":" + maximum;
}

}  // namespace detail

// schema: appends the members of a JSON Schema object, without its braces. read: throws Error. write: appends one JSON value.
template <class T, class = void>
struct Type {
  static_assert(!detail::is_text_unit<T>,
                "agentd: char is neither text nor a number here; take std::string, or int8_t for a small number");
  static_assert(!std::is_pointer_v<T>, "agentd: a pointer has no meaning in JSON; take std::string, std::vector or std::optional");
  static_assert(!std::is_enum_v<T>, "agentd: say how this enum is written: AGENTD_CHOICES(Unit, {\"m\", Unit::metres}, ...) beside it");
  static_assert(detail::is_text_unit<T> || std::is_pointer_v<T> || std::is_enum_v<T> || detail::always_false<T>::value,
                "agentd: say how this type is written: AGENTD_FIELDS(...) in the struct, or specialise agentd::sdk::Type");
};

template <class T>
std::string to_json(const T& value) {
  std::string out;
  Type<T>::write(out, value);
  return out;
}
template <class T>
T from_json(Json json) {
  return Type<T>::read(json);
}
template <class T>
std::string schema_of() {
  std::string out = "{";
  Type<T>::schema(out);
  return out + "}";
}

template <>
struct Type<bool> {
  static void schema(std::string& out) { out += R"("type":"boolean")"; }
  static bool read(Json json) { return json.boolean(); }
  static void write(std::string& out, bool value) { out += value ? "true" : "false"; }
};

template <class T>
struct Type<T, std::enable_if_t<detail::is_integer<T>>> {
  static void schema(std::string& out) {
    out += R"("type":"integer")";
    detail::append_bounds(out, detail::own_minimum<T>(), detail::own_maximum<T>());
  }
  static T read(Json json) { return json.integer<T>(); }
  static void write(std::string& out, T value) { out += std::to_string(value); }
};

template <class T>
struct Type<T, std::enable_if_t<std::is_floating_point_v<T>>> {
  static void schema(std::string& out) { out += R"("type":"number")"; }
  static T read(Json json) { return static_cast<T>(json.number()); }
  static void write(std::string& out, T value) {
    if (!(value - value == 0)) throw Error("the number is not finite, so JSON cannot hold it");
    detail::append_number(out, value);
  }
};

template <>
struct Type<std::string> {
  static void schema(std::string& out) { out += R"("type":"string")"; }
  static std::string read(Json json) { return json.string(); }
  static void write(std::string& out, std::string_view value) { write_string(out, value); }
};
template <>
struct Type<std::string_view> : Type<std::string> {};

template <class T>
struct Type<std::vector<T>> {
  static void schema(std::string& out) { out += R"("type":"array","items":)" + schema_of<T>(); }
  static std::vector<T> read(Json json) {
    std::vector<T> values;
    json.elements([&](Json element) {
      detail::reading("[" + std::to_string(values.size()) + "]", [&] { values.push_back(Type<T>::read(element)); });
    });
    return values;
  }
  static void write(std::string& out, const std::vector<T>& values) {
    out += '[';
    for (const auto& value : values) detail::comma(out), Type<T>::write(out, value);
    out += ']';
  }
};

template <class T>
struct Type<std::map<std::string, T>> {
  static void schema(std::string& out) { out += R"("type":"object","additionalProperties":)" + schema_of<T>(); }
  static std::map<std::string, T> read(Json json) {
    std::map<std::string, T> values;
    json.members([&](std::string_view name, Json member) {
      detail::reading(name, [&] { values[std::string(name)] = Type<T>::read(member); });
    });
    return values;
  }
  static void write(std::string& out, const std::map<std::string, T>& values) {
    out += '{';
    for (const auto& [name, value] : values) detail::comma(out), write_string(out, name), out += ':', Type<T>::write(out, value);
    out += '}';
  }
};

// What may be left out, or be null.
template <class T>
struct Type<std::optional<T>> {
  static void schema(std::string& out) { Type<T>::schema(out); }
  static std::optional<T> read(Json json) {
    if (!json || json.is_null()) return std::nullopt;
    return Type<T>::read(json);
  }
  static void write(std::string& out, const std::optional<T>& value) {
    if (value) return Type<T>::write(out, *value);
    out += "null";
  }
};
namespace detail {
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
}  // namespace detail

// Any JSON as it stands, for those who bring their own library. As a result it must be one valid value.
struct Raw {
  std::string text;
  Json json() const { return Json(text); }
};
template <>
struct Type<Raw> {
  static void schema(std::string&) {}
  static Raw read(Json json) {
    if (!json.valid()) json.mismatch("JSON");
    return {std::string(json.text())};
  }
  static void write(std::string& out, const Raw& value) {
    if (!value.json().valid()) throw Error("the text is not one valid JSON value");
    out += value.text;
  }
};

// A view passes through too. It is valid only as long as the text it was read from: within the body of a synchronous tool.
template <>
struct Type<Json> {
  static void schema(std::string&) {}
  static Json read(Json json) { return json; }
  static void write(std::string& out, Json value) { out += value ? value.text() : std::string_view("null"); }
};

// A file or folder in the settings. The schema marks it, so that the host makes it absolute: relative to the file that names it.
class Path {
 public:
  Path() = default;
  explicit Path(std::string text) : text_(std::move(text)) {}
  const std::string& text() const { return text_; }
  operator const std::string&() const { return text_; }  // implicit: std::string(path), std::ifstream(path)
  bool empty() const { return text_.empty(); }

 private:
  std::string text_;
};
template <>
struct Type<Path> {
  static void schema(std::string& out) { out += R"("type":"string","format":"path")"; }
  static Path read(Json json) { return Path(json.string()); }
  static void write(std::string& out, const Path& value) { write_string(out, value.text()); }
};

// A setting that must not be shown: the schema marks it, it has no default and is never written back.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  const std::string& reveal() const { return text_; }
  bool empty() const { return text_.empty(); }

 private:
  std::string text_;
};
template <>
struct Type<Secret> {
  static void schema(std::string& out) { out += R"("type":"string","writeOnly":true)"; }
  static Secret read(Json json) { return Secret(json.string()); }
  static void write(std::string&, const Secret&) { throw Error("a secret is not written"); }
};

}  // namespace agentd::sdk

#include <agentd/sdk/fields.hpp>
