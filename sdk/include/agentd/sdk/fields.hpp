// Enums as words and structs as objects. Included by types.hpp.
#pragma once
#include <agentd/sdk/types.hpp>

// Beside an enum, in its namespace:
//   enum class Unit { metres, feet };
//   AGENTD_CHOICES(Unit, {"m", Unit::metres}, {"ft", Unit::feet})
#define AGENTD_CHOICES(E, ...)                                          \
  template <class AgentdEach>                                           \
  void agentd_choices(E, AgentdEach&& agentd_each) {                    \
    const ::agentd::sdk::Choice<E> agentd_all[] = {__VA_ARGS__};        \
    for (const auto& agentd_choice : agentd_all) agentd_each(agentd_choice); \
  }

// Inside a struct, naming the members that JSON knows. Their initialisers are the defaults, so each may be left out, except one of type
// Required<T>; std::optional says that nothing is a value too.
//   struct Box {
//     double width = 1, height = 1;
//     std::optional<std::string> label;
//     AGENTD_FIELDS(width, height, label)
//   };
#define AGENTD_FIELDS(...)                                                                      \
  template <class AgentdEach>                                                                   \
  void agentd_fields(AgentdEach&& agentd_each) { agentd_each(#__VA_ARGS__, __VA_ARGS__); }       \
  template <class AgentdEach>                                                                   \
  void agentd_fields(AgentdEach&& agentd_each) const { agentd_each(#__VA_ARGS__, __VA_ARGS__); }

namespace agentd::sdk {

template <class E>
struct Choice {
  const char* name;
  E value;
};

// A field that has no default: an object without it is refused.
template <class T>
struct Required {
  T value{};
  operator const T&() const { return value; }
  const T& operator*() const { return value; }
  const T* operator->() const { return &value; }
};
template <class T>
struct Type<Required<T>> {
  static void schema(std::string& out) { Type<T>::schema(out); }
  static Required<T> read(Json json) { return {Type<T>::read(json)}; }
  static void write(std::string& out, const Required<T>& field) { Type<T>::write(out, field.value); }
};

namespace detail {

struct Ignore {
  template <class... A>
  void operator()(const A&...) const {}
};
template <class T>
inline constexpr bool is_required = false;
template <class T>
inline constexpr bool is_required<Required<T>> = true;
template <class T>
inline constexpr bool is_secret = std::is_same_v<T, Secret> || std::is_same_v<T, Required<Secret>>;

// Pairs the text of AGENTD_FIELDS with its members: each(name, member).
template <class F>
struct EachField {
  F each;
  template <class... M>
  void operator()(std::string_view names, M&... members) {
    (each(next(names), members), ...);
  }

 private:
  static std::string_view next(std::string_view& names) {
    constexpr std::string_view kBetween = ", \t\n";
    names.remove_prefix(names.find_first_not_of(kBetween));
    const std::string_view name = names.substr(0, names.find_first_of(kBetween));
    names.remove_prefix(name.size());
    return name;
  }
};
template <class F>
EachField(F) -> EachField<F>;

}  // namespace detail

template <class E>
struct Type<E, std::enable_if_t<std::is_enum_v<E>, std::void_t<decltype(agentd_choices(E{}, detail::Ignore{}))>>> {
  static void schema(std::string& out) {
    out += R"("type":"string","enum":[)";
    agentd_choices(E{}, [&](const Choice<E>& choice) { detail::comma(out), write_string(out, choice.name); });
    out += ']';
  }
  static E read(Json json) {
    const std::string name = json.string();
    std::optional<E> found;
    std::string all;
    agentd_choices(E{}, [&](const Choice<E>& choice) {
      if (name == choice.name) found = choice.value;
      all += (all.empty() ? "" : ", ") + std::string(choice.name);
    });
    if (!found) json.mismatch(("one of " + all).c_str());
    return *found;
  }
  static void write(std::string& out, E value) {
    const char* name = nullptr;
    agentd_choices(E{}, [&](const Choice<E>& choice) {
      if (choice.value == value && !name) name = choice.name;
    });
    if (!name) throw Error("a value that AGENTD_CHOICES does not name");
    write_string(out, name);
  }
};

template <class T>
struct Type<T, std::void_t<decltype(std::declval<T&>().agentd_fields(detail::Ignore{}))>> {
  static void schema(std::string& out) {
    const T defaults{};
    std::string required;
    out += R"("type":"object","properties":{)";
    defaults.agentd_fields(detail::EachField{[&](std::string_view name, const auto& member) {
      using M = std::decay_t<decltype(member)>;
      detail::comma(out), write_string(out, name), out += ":{";
      Type<M>::schema(out);
      if constexpr (detail::is_required<M>) {
        detail::comma(required), write_string(required, name);
      } else if constexpr (!detail::is_optional<M> && !detail::is_secret<M>) {
        append_default(out, member);
      }
      out += '}';
    }});
    out += "},";
    if (!required.empty()) out += "\"required\":[" + required + "],";
    out += R"("additionalProperties":false)";
  }
  // Members that are not fields are left alone: the host's schema check has refused them where they are an error.
  static T read(Json json) {
    if (json.kind() != Json::Kind::object) json.mismatch("an object");
    T value{};
    value.agentd_fields(detail::EachField{[&](std::string_view name, auto& member) {
      using M = std::decay_t<decltype(member)>;
      const Json given = json[name];
      if (!given && detail::is_required<M>) throw Error("\"" + std::string(name) + "\" is missing");
      if (given) detail::reading(name, [&] { member = Type<M>::read(given); });
    }});
    return value;
  }
  static void write(std::string& out, const T& value) {
    out += '{';
    value.agentd_fields(detail::EachField{[&](std::string_view name, const auto& member) {
      detail::comma(out), write_string(out, name), out += ':';
      Type<std::decay_t<decltype(member)>>::write(out, member);
    }});
    out += '}';
  }

 private:
  template <class M>
  static void append_default(std::string& out, const M& member) {
    std::string text;
    try {
      Type<M>::write(text, member);
    } catch (const Error&) {
      return;  // a default that JSON cannot hold, or that hides a secret, is not shown
    }
    detail::comma(out);
    out += "\"default\":" + text;
  }
};

namespace detail {

// For settings that no schema of the host guards: what is not a field is an error that names the fields there are.
template <class T>
void refuse_unknown_fields(Json json, std::string_view allowed = {}) {
  if constexpr (!std::is_same_v<T, Json> && !std::is_same_v<T, Raw>) {
    json.members([&](std::string_view key, Json) {
      bool known = key == allowed;
      std::string names;
      const T value{};
      value.agentd_fields(EachField{[&](std::string_view name, const auto&) {
        known = known || name == key;
        names += (names.empty() ? "" : ", ") + std::string(name);
      }});
      if (!known) throw Error("unknown key \"" + valid_utf8(key) + "\"; known are: " + names);
    });
  }
}

}  // namespace detail
}  // namespace agentd::sdk
