// How functions of the engine fail: a value that says what, where and what would be right. Exceptions come from third parties only
// and are caught at that edge.
#pragma once
#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <utility>

namespace agentd {

// The classes people see as `error_class`.
enum class ErrorClass { retryable, terminal, timeout, budget, policy, schema, loop, unknown_outcome, crash, internal };

const char* name(ErrorClass c);
std::optional<ErrorClass> error_class(std::string_view name);

struct Error {
  ErrorClass error_class = ErrorClass::terminal;
  std::string message;                                   // one sentence for people: the place, what is wrong, the fix
  std::optional<std::chrono::milliseconds> retry_after;  // with retryable: not sooner than this
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(ErrorClass c, std::string message) { return std::unexpected(Error{c, std::move(message), {}}); }
inline std::unexpected<Error> fail(std::string message) { return fail(ErrorClass::terminal, std::move(message)); }

}  // namespace agentd
