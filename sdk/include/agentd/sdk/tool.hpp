// One tool of a toolset: its description, its body, and how it reconciles. Included by toolset.hpp.
#pragma once
#include <agentd/abi/toolset.h>
#include <agentd/sdk/param.hpp>
#include <agentd/sdk/scope.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace agentd::sdk {

// What a call does to the world: decides what happens when a crash leaves its end unknown.
enum class Effect : int32_t {
  pure = AGENTD_EFFECT_PURE,              // changes nothing: made again
  idempotent = AGENTD_EFFECT_IDEMPOTENT,  // twice is as good as once, under the same call id: made again
  once = AGENTD_EFFECT_ONCE,              // never made again; reconcile() may tell what became of it
};

struct ToolDescription {
  std::string name, summary, schema;
  Effect effect = Effect::once;
};

namespace detail {

// A body behind JSON. run ends the call, or takes it along.
class Body {
 public:
  virtual ~Body() = default;
  virtual bool asynchronous() const = 0;
  virtual void run(Call& call, std::string_view arguments, const void* scope) = 0;
};

template <class F>
const void* scope_tag() {
  using S = typename ScopeIn<typename CheckedBody<F>::Leading>::type;
  if constexpr (std::is_void_v<S>) {
    return nullptr;
  } else {
    return type_tag<S>();
  }
}

// What a leading parameter is filled with.
template <class A>
decltype(auto) leading(Call& call, [[maybe_unused]] const void* scope) {
  using T = std::decay_t<A>;
  if constexpr (is_reply<T>) {
    return T(Lent{call});
  } else if constexpr (is_scope<A>) {
    return *static_cast<const T*>(scope);
  } else {
    return (call);
  }
}

// Calls f with its leading parameters and `rest`, and ends the call with what it returns.
template <class F, class... L, class... A, class Tuple>
void invoke(F& f, List<L...>, List<A...>, Call& call, const void* scope, Tuple& rest) {
  using R = typename Callable<F>::Result;
  std::apply(
      [&](auto&... argument) {
        if constexpr (has_reply<List<L...>>) {
          f(leading<L>(call, scope)..., static_cast<A>(argument)...);
        } else if constexpr (std::is_void_v<R>) {
          f(leading<L>(call, scope)..., static_cast<A>(argument)...);
          CallAccess::ending(call).json("null");
        } else {
          std::string out;
          write_result(out, f(leading<L>(call, scope)..., static_cast<A>(argument)...));
          CallAccess::ending(call).json(out);
        }
      },
      rest);
}

template <class... A, std::size_t... I>
std::tuple<Stored<A>...> read_arguments(List<A...>, std::index_sequence<I...>, [[maybe_unused]] Json json,
                                        [[maybe_unused]] const std::vector<Param>& params) {
  return std::tuple<Stored<A>...>{read_argument<Stored<A>>(json, params[I])...};
}

template <class F>
class TypedBody final : public Body {
 public:
  TypedBody(F f, std::vector<Param> params) : f_(std::move(f)), params_(std::move(params)) {}
  bool asynchronous() const override { return CheckedBody<F>::asynchronous; }
  void run(Call& call, std::string_view arguments, const void* scope) override {
    using Rest = typename CheckedBody<F>::Rest;
    auto values = read_arguments(Rest(), std::make_index_sequence<Rest::size>(), Json(arguments), params_);
    invoke(f_, typename CheckedBody<F>::Leading(), Rest(), call, scope, values);
  }

 private:
  F f_;
  std::vector<Param> params_;
};

template <class F>
class WholeBody final : public Body {
 public:
  explicit WholeBody(F f) : f_(std::move(f)) {}
  bool asynchronous() const override { return CheckedBody<F>::asynchronous; }
  void run(Call& call, std::string_view arguments, const void* scope) override {
    using Rest = typename CheckedBody<F>::Rest;
    auto values = whole(Rest(), Json(arguments));
    invoke(f_, typename CheckedBody<F>::Leading(), Rest(), call, scope, values);
  }

 private:
  template <class A>
  static std::tuple<Stored<A>> whole(List<A>, Json json) {
    return std::tuple<Stored<A>>{Type<Stored<A>>::read(json)};
  }
  F f_;
};

inline void finish_reconciled(Call& call, bool happened) {
  if (happened) return CallAccess::ending(call).json("null");
  CallAccess::ending(call).fail(AGENTD_RETRYABLE, "the call did not happen");
}
template <class T>
void finish_reconciled(Call& call, const std::optional<T>& result) {
  if (!result) return finish_reconciled(call, false);
  std::string out;
  write_result(out, *result);
  CallAccess::ending(call).json(out);
}

template <class R>
inline constexpr bool is_verdict = std::is_same_v<R, bool> || is_optional<R>;

// Whether a reconcile that returns Verdict answers what a tool with the result R answers; several types of C++ are one in JSON.
template <class R, class Verdict>
constexpr bool answers_alike() {
  using Told = typename WithoutOptional<std::decay_t<R>>::type;
  using Found = typename WithoutOptional<typename WithoutOptional<Verdict>::type>::type;
  if constexpr (std::is_same_v<Told, Found> || is_any_json<Told> || is_any_json<Found>) {
    return true;
  } else if constexpr (is_number<Told>) {
    return is_integer<Told> ? is_integer<Found> : is_number<Found>;
  } else {
    return (is_text<Told> || std::is_same_v<Told, const char*>) && is_text<Found>;
  }
}

// Nothing but the body's own word says that a call did not happen: whatever it throws leaves the outcome unknown.
template <class F>
class Reconciler final : public Body {
 public:
  Reconciler(F f, std::vector<Param> params) : f_(std::move(f)), params_(std::move(params)) {}
  bool asynchronous() const override { return false; }
  void run(Call& call, std::string_view arguments, const void* scope) override try {
    using Rest = typename CheckedBody<F>::Rest;
    auto values = read_arguments(Rest(), std::make_index_sequence<Rest::size>(), Json(arguments), params_);
    decide(typename CheckedBody<F>::Leading(), Rest(), call, scope, values);
  } catch (...) {
    describe_current_exception([&](int32_t, const char* message, int64_t) {
      CallAccess::ending(call).fail(AGENTD_UNKNOWN_OUTCOME, message);
    });
  }

 private:
  template <class... L, class... A, class Tuple>
  void decide(List<L...>, List<A...>, Call& call, const void* scope, Tuple& values) {
    std::apply([&](auto&... argument) { finish_reconciled(call, f_(leading<L>(call, scope)..., static_cast<A>(argument)...)); }, values);
  }
  F f_;
  std::vector<Param> params_;
};

struct Tool {
  Tool(ToolDescription its_description, std::vector<Param> its_params, std::shared_ptr<Body> its_body, const void* its_scope)
      : description(std::move(its_description)), params(std::move(its_params)), body(std::move(its_body)), scope(its_scope) {}
  agentd_tool record() const {
    return {sizeof(agentd_tool), reconciler ? uint32_t{AGENTD_TOOL_RECONCILES} : 0u, static_cast<int32_t>(description.effect), 0,
            str(description.name), str(description.summary), str(description.schema)};
  }

  ToolDescription description;
  std::vector<Param> params;
  std::shared_ptr<Body> body, reconciler;  // shared with the calls that run them
  const void* scope;                       // the tag of the scope that body takes; nullptr: none
};

inline void check_tool_name(const std::string& name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  bool good = !name.empty() && name.size() <= 64;
  for (const char c : name) good = good && allowed(c);
  if (!good) throw Error("\"" + name + "\" is not a name of a tool: 1 to 64 of A-Z a-z 0-9 _ -");
}

inline void check_param_names(std::string_view tool, const std::vector<Param>& params) {
  for (std::size_t i = 0; i < params.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (params[i].name == params[j].name) throw Error("two parameters of \"" + std::string(tool) + "\" are named \"" + params[i].name + "\"");
    }
  }
}

// What add() returns. N: how many parameters have names; R: what the tool answers with.
template <std::size_t N, class R>
class Added {
 public:
  explicit Added(Tool* tool) : tool_(tool) {}

  // f tells, after a crash, what became of a call of this tool. It takes Call& (call.id() is the id of the lost call), a scope, then
  // nothing or all of the tool's parameters. It returns std::optional<result> (nothing: it did not happen) or, for a tool without a
  // result, bool; when it throws, nobody knows. Only tools with Effect::once are asked: an Error for others.
  template <class F>
  Added& reconcile(F f) {
    using B = CheckedBody<F>;
    if constexpr (B::ok) {
      using Verdict = std::decay_t<typename B::Result>;
      static_assert(!B::asynchronous, "agentd: reconcile is synchronous; take Call& instead of Reply<T>");
      static_assert(is_verdict<Verdict>, "agentd: reconcile returns std::optional<result>, or bool");
      static_assert(!std::is_same_v<Verdict, bool> || std::is_void_v<R>,
                    "agentd: this tool has a result, so its reconcile returns std::optional<result>, nothing where the call did not happen");
      static_assert(!is_optional<Verdict> || !std::is_void_v<R>, "agentd: this tool has no result, so its reconcile returns bool");
      static_assert(!is_optional<Verdict> || std::is_void_v<R> || answers_alike<R, Verdict>(),
                    "agentd: reconcile returns what the tool returns: std::optional<result>, and the two results are not of one type");
      static_assert(B::Rest::size == 0 || B::Rest::size == N, "agentd: reconcile takes none or all of the tool's parameters");
      check_effect();
      if (tool_->scope == nullptr) tool_->scope = scope_tag<F>();
      tool_->reconciler = std::make_shared<Reconciler<F>>(std::move(f), tool_->params);
    }
    return *this;
  }

 private:
  void check_effect() const {
    if (tool_->description.effect == Effect::once) return;
    throw Error("tool \"" + tool_->description.name + "\" has a reconcile, but it is not Effect::once: a pure or idempotent call is simply made again");
  }
  Tool* tool_;
};

}  // namespace detail
}  // namespace agentd::sdk
