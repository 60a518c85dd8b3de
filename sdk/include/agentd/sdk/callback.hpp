// A function that is owned, called and moved, never copied (std::move_only_function came with C++23).
#pragma once
#include <memory>
#include <type_traits>
#include <utility>

namespace agentd::sdk {

template <class Signature>
class Callback;

template <class R, class... A>
class Callback<R(A...)> {
 public:
  Callback() = default;
  template <class F, class = std::enable_if_t<!std::is_same_v<std::decay_t<F>, Callback>>>
  Callback(F&& f) : held_(std::make_unique<Held<std::decay_t<F>>>(std::forward<F>(f))) {}  // implicit, as std::function is

  explicit operator bool() const { return held_ != nullptr; }
  R operator()(A... arguments) { return held_->call(std::forward<A>(arguments)...); }

 private:
  struct Callable {
    virtual ~Callable() = default;
    virtual R call(A...) = 0;
  };
  template <class F>
  struct Held final : Callable {
    explicit Held(F&& f) : f_(std::move(f)) {}
    explicit Held(const F& f) : f_(f) {}
    R call(A... arguments) override { return f_(std::forward<A>(arguments)...); }
    F f_;
  };
  std::unique_ptr<Callable> held_;
};

}  // namespace agentd::sdk
