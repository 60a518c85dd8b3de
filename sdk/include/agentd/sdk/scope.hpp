// Narrowing a toolset for some agents. A toolset that can be narrowed declares
//
//   struct View : Scope { Roots roots; };                          // what bodies see; they take a leading const View&
//   struct Narrow { std::optional<std::vector<std::string>> roots; AGENTD_FIELDS(roots) };
//   View bind(const Narrow& narrow) const;                         // throws an Error that names what would be widened
//
// bind({}) is asked for once, when the instance is made: the view of agents that narrow nothing. Equal settings share one scope.
// bind runs where the bodies run, and not at the same time as they do unless the toolset is concurrent.
#pragma once
#include <agentd/sdk/signature.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace agentd::sdk::detail {

// An address that stands for a type, so that no RTTI is needed.
template <class T>
const void* type_tag() {
  static char tag = 0;
  return &tag;
}

template <class T, class = void>
struct Binder {
  static constexpr bool exists = false;
};
template <class A>
struct OnlyArgument {
  static_assert(always_false<A>::value, "agentd: bind takes one parameter: the settings that narrow");
};
template <class A>
struct OnlyArgument<List<A>> {
  using type = std::decay_t<A>;
};
template <class T>
struct Binder<T, std::void_t<decltype(&T::bind)>> {
  static constexpr bool exists = true;
  using Bound = typename SignatureOf<decltype(&T::bind)>::Result;
  using Settings = typename OnlyArgument<typename SignatureOf<decltype(&T::bind)>::Arguments>::type;
  static_assert(std::is_base_of_v<Scope, Bound>, "agentd: what bind returns derives from agentd::sdk::Scope");

  static std::shared_ptr<const void> bind(T& object, Json settings) {
    const Settings narrow = Type<Settings>::read(settings);
    return std::make_shared<const Bound>(object.bind(narrow));
  }
  // The same text for the same meaning, so that equal scopes are found.
  static std::string canonical(Json settings) {
    refuse_unknown_fields<Settings>(settings);
    return to_json(Type<Settings>::read(settings));
  }
};

// The scopes of one instance, by number; 0 is the instance's own. Any thread.
class Scopes {
 public:
  using Bound = std::shared_ptr<const void>;  // shared: a call may still run in a scope, and the table keeps it for the next

  void set_own(Bound bound) { bound_[0] = std::move(bound); }
  Bound find(uint64_t number) const {
    const std::lock_guard lock(mutex_);
    const auto found = bound_.find(number);
    return found == bound_.end() ? nullptr : found->second;
  }
  uint64_t number_of(const std::string& canonical) const {  // 0: not bound yet
    const std::lock_guard lock(mutex_);
    const auto found = numbers_.find(canonical);
    return found == numbers_.end() ? 0 : found->second;
  }
  uint64_t put(const std::string& canonical, Bound bound) {
    const std::lock_guard lock(mutex_);
    const auto [place, fresh] = numbers_.try_emplace(canonical, numbers_.size() + 1);
    if (fresh) bound_[place->second] = std::move(bound);
    return place->second;
  }

 private:
  mutable std::mutex mutex_;
  std::map<uint64_t, Bound> bound_;
  std::map<std::string, uint64_t> numbers_;
};

}  // namespace agentd::sdk::detail
