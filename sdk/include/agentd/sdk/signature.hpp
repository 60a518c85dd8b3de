// What the signature of a body says: its leading parameters, which the SDK fills in, and the rest, which come from JSON.
#pragma once
#include <agentd/sdk/call.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

namespace agentd::sdk {

// Derive from this what bind() makes: a body may take it as a leading `const YourScope&`.
struct Scope {};

namespace detail {

template <class... A>
struct List {
  static constexpr std::size_t size = sizeof...(A);
};

template <class R, class... A>
struct Signature {
  using Result = R;
  using Arguments = List<A...>;
};
template <class F>
struct SignatureOf;
template <class R, class... A>
struct SignatureOf<R (*)(A...)> : Signature<R, A...> {};
template <class R, class... A>
struct SignatureOf<R (*)(A...) noexcept> : Signature<R, A...> {};
template <class R, class C, class... A>
struct SignatureOf<R (C::*)(A...)> : Signature<R, A...> {};
template <class R, class C, class... A>
struct SignatureOf<R (C::*)(A...) const> : Signature<R, A...> {};
template <class R, class C, class... A>
struct SignatureOf<R (C::*)(A...) noexcept> : Signature<R, A...> {};
template <class R, class C, class... A>
struct SignatureOf<R (C::*)(A...) const noexcept> : Signature<R, A...> {};

// Functions, and objects with exactly one call operator that is not a template.
template <class F, class = void>
struct Callable {
  static constexpr bool ok = false;
};
template <class R, class... A>
struct Callable<R (*)(A...), void> : SignatureOf<R (*)(A...)> {
  static constexpr bool ok = true;
};
template <class R, class... A>
struct Callable<R (*)(A...) noexcept, void> : SignatureOf<R (*)(A...)> {
  static constexpr bool ok = true;
};
template <class F>
struct Callable<F, std::void_t<decltype(&F::operator())>> : SignatureOf<decltype(&F::operator())> {
  static constexpr bool ok = true;
};

template <class A>
inline constexpr bool is_reply = false;
template <class T>
inline constexpr bool is_reply<Reply<T>> = true;
template <class A>
inline constexpr bool is_call = std::is_same_v<std::decay_t<A>, Call>;
template <class A>
inline constexpr bool is_scope = std::is_base_of_v<Scope, std::decay_t<A>>;
template <class A>
inline constexpr bool is_leading = is_reply<std::decay_t<A>> || is_call<A> || is_scope<A>;

// Leading: those parameters, in the order written. Rest: what the arguments of a call fill.
template <class Arguments, class... Lead>
struct Split {
  using Leading = List<Lead...>;
  using Rest = Arguments;
};
template <bool leading, class Arguments, class... Lead>
struct SplitNext {
  using Leading = List<Lead...>;
  using Rest = Arguments;
};
template <class A, class... B, class... Lead>
struct SplitNext<true, List<A, B...>, Lead...> : Split<List<B...>, Lead..., A> {};
template <class A, class... B, class... Lead>
struct Split<List<A, B...>, Lead...> : SplitNext<is_leading<A>, List<A, B...>, Lead...> {};

template <class L>
inline constexpr bool has_reply = false;
template <class... A>
inline constexpr bool has_reply<List<A...>> = (is_reply<std::decay_t<A>> || ...);

// T of the Reply<T> in a list; void where there is none.
template <class L>
struct ReplyIn {
  using type = void;
};
template <class A, class... B>
struct ReplyIn<List<A, B...>> : ReplyIn<List<B...>> {};
template <class T, class... B>
struct ReplyIn<List<Reply<T>, B...>> {
  using type = T;
};

template <class L>
struct ScopeIn {
  using type = void;
};
template <class A, class... B>
struct ScopeIn<List<A, B...>> {
  using type = typename std::conditional_t<is_scope<A>, std::decay<A>, ScopeIn<List<B...>>>::type;
};

// Where an argument is kept while the body runs.
template <class A>
using Stored = std::conditional_t<std::is_same_v<std::decay_t<A>, std::string_view>, std::string, std::decay_t<A>>;

// One parameter that is filled from JSON. Each thing that cannot be is refused with a sentence of its own.
template <class A>
struct CheckedParameter {
  using T = std::decay_t<A>;
  static constexpr bool reference = std::is_lvalue_reference_v<A> && !std::is_const_v<std::remove_reference_t<A>>;
  static constexpr bool text_unit = is_text_unit<T>;
  static constexpr bool pointer = std::is_pointer_v<T>;
  static constexpr bool late = is_leading<A>;
  static constexpr bool ok = !reference && !text_unit && !pointer && !late;
  static_assert(!late, "agentd: Call&, Reply<T> and a scope come before the parameters that have names");
  static_assert(late || !reference, "agentd: a parameter cannot be T&, there is nothing of the caller's to change; take T or const T&");
  static_assert(!text_unit, "agentd: a parameter cannot be char, which is neither text nor a number here; take std::string, or int8_t");
  static_assert(!pointer, "agentd: a parameter cannot be a pointer, nobody would own it; take std::string, std::vector or std::optional");
};
template <class L>
struct CheckedParameters;
template <class... A>
struct CheckedParameters<List<A...>> {
  static constexpr bool ok = (true && ... && CheckedParameter<A>::ok);
};

template <class R>
struct CheckedResult {
  using T = std::decay_t<R>;
  static constexpr bool text_unit = is_text_unit<T>;
  static constexpr bool pointer = std::is_pointer_v<T> && !std::is_same_v<T, const char*>;
  static constexpr bool ok = !text_unit && !pointer;
  static_assert(!text_unit, "agentd: a result cannot be char, which is neither text nor a number here; return std::string, or int8_t");
  static_assert(!pointer, "agentd: a result cannot be a pointer, nobody would own it; return a value or std::optional");
};

template <class A>
struct CheckedLeading {
  static constexpr bool by_reference = !is_call<A> || std::is_lvalue_reference_v<A>;
  static constexpr bool scope_const = !is_scope<A> || !std::is_lvalue_reference_v<A> || std::is_const_v<std::remove_reference_t<A>>;
  static constexpr bool reply_by_value = !is_reply<std::decay_t<A>> || !std::is_lvalue_reference_v<A>;
  static constexpr bool ok = by_reference && scope_const && reply_by_value;
  static_assert(by_reference, "agentd: take the call as Call&");
  static_assert(scope_const, "agentd: take a scope as const T&");
  static_assert(reply_by_value, "agentd: take Reply<T> by value: it is yours to keep");
};
template <class L>
struct CheckedLeadings;
template <class... A>
struct CheckedLeadings<List<A...>> {
  static constexpr bool ok = (true && ... && CheckedLeading<A>::ok);
};

// A body as `add` takes it: everything that can be wrong with it is said here, once.
template <class F, bool callable = Callable<F>::ok>
struct CheckedBody {
  static constexpr bool ok = false;
  static_assert(callable, "agentd: a body is a function or a lambda whose parameters have their types written out, not auto");
};
template <class F>
struct CheckedBody<F, true> {
  using Result = typename Callable<F>::Result;
  using Leading = typename Split<typename Callable<F>::Arguments>::Leading;
  using Rest = typename Split<typename Callable<F>::Arguments>::Rest;
  static constexpr bool asynchronous = has_reply<Leading>;
  static constexpr bool nothing_returned = !asynchronous || std::is_void_v<Result>;
  static_assert(nothing_returned, "agentd: a body that takes Reply<T> answers through it and returns void");
  static constexpr bool ok = nothing_returned && CheckedLeadings<Leading>::ok && CheckedParameters<Rest>::ok && CheckedResult<Result>::ok;
};

// What a tool with this body answers with; void: nothing.
template <class F>
using Answered = std::conditional_t<CheckedBody<F>::asynchronous, typename ReplyIn<typename CheckedBody<F>::Leading>::type, typename CheckedBody<F>::Result>;

template <class R>
void write_result(std::string& out, const R& value) {
  if constexpr (std::is_same_v<std::decay_t<R>, const char*> || std::is_array_v<R>) {
    Type<std::string_view>::write(out, value);
  } else {
    Type<R>::write(out, value);
  }
}

}  // namespace detail
}  // namespace agentd::sdk
