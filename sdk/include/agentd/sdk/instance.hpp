// What every kind of component shares: making an instance from its settings, and ending it.
#pragma once
#include <agentd/sdk/call.hpp>

#include <memory>
#include <string_view>
#include <type_traits>

namespace agentd::sdk {

// Settings as they are: the host has checked that they are one JSON object. A component that declares a struct named Config of its own,
// with AGENTD_FIELDS, gets it filled and the schema made from it.
using Config = Json;

namespace detail {

template <class T, class = void>
struct ConfigOf {
  using type = Config;
};
template <class T>
struct ConfigOf<T, std::void_t<typename T::Config>> {
  using type = typename T::Config;
};

template <class T>
std::string settings_schema() {
  using C = typename ConfigOf<T>::type;
  if constexpr (std::is_same_v<C, Json>) {
    return R"({"type":"object"})";
  } else {
    return schema_of<C>();
  }
}

template <class T>
std::unique_ptr<T> make_component(std::string_view settings, const Host& host) {
  using C = typename ConfigOf<T>::type;
  constexpr bool with_host = std::is_constructible_v<T, const C&, const Host&>, with_config = std::is_constructible_v<T, const C&>;
  static_assert(with_host || with_config || std::is_default_constructible_v<T>,
                "agentd: a component is made from (const Config&), from (const Config&, const Host&) or from nothing");
  const C config = reading("settings", [&] { return Type<C>::read(Json(settings.empty() ? "{}" : settings)); });
  if constexpr (with_host) {
    return std::make_unique<T>(config, host);
  } else if constexpr (with_config) {
    return std::make_unique<T>(config);
  } else {
    return std::make_unique<T>();
  }
}

template <class T, class = void>
inline constexpr bool is_concurrent = false;
template <class T>
inline constexpr bool is_concurrent<T, std::void_t<decltype(T::concurrent)>> = T::concurrent;
template <class T, class = void>
inline constexpr bool is_dynamic = false;
template <class T>
inline constexpr bool is_dynamic<T, std::void_t<decltype(T::dynamic)>> = T::dynamic;
template <class T, class = void>
inline constexpr bool has_vectors = false;
template <class T>
inline constexpr bool has_vectors<T, std::void_t<decltype(T::vectors)>> = T::vectors;

template <class T>
constexpr uint32_t component_flags() {
  return (is_concurrent<T> ? uint32_t{AGENTD_CONCURRENT} : 0u) | (is_dynamic<T> ? uint32_t{AGENTD_DYNAMIC} : 0u) |
         (has_vectors<T> ? uint32_t{AGENTD_VECTORS} : 0u);
}

// One instance: the author's object and what it stands on. Kinds that need more derive from it.
template <class T>
struct Instance {
  Instance(const Host& its_host, std::string_view settings) : host(its_host), object(make_component<T>(settings, host)) {}
  Host host;
  Cancels cancels;
  std::unique_ptr<T> object;
};

// The slots that every kind has. I is an Instance.
template <class I>
struct Slots {
  static I& of(void* self) { return *static_cast<I*>(self); }

  static void create(agentd_host* raw, agentd_op op, agentd_str settings) noexcept {
    Answer answer{Host(raw), op};
    try {
      auto instance = std::make_unique<I>(answer.host(), view(settings));
      if (answer.created(instance.get())) (void)instance.release();  // the host's now, until destroy
    } catch (...) {
      answer.fail_with_current_exception();
    }
  }
  static void destroy(void* self, agentd_op op) noexcept {
    Answer answer{of(self).host, op};
    delete static_cast<I*>(self);
    answer.json("null");
  }
  static void cancel(void* self, agentd_op op) noexcept { of(self).cancels.fire(op); }
};

}  // namespace detail
}  // namespace agentd::sdk
