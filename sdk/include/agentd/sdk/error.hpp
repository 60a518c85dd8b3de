// How something in a plugin fails: throw an Error anywhere, and the operation in hand ends with it.
#pragma once
#include <agentd/abi/base.h>

#include <cstdint>
#include <stdexcept>
#include <string>

namespace agentd::sdk {

enum class Failure : int32_t {
  terminal = AGENTD_TERMINAL,                // trying again would fail again
  retryable = AGENTD_RETRYABLE,              // it did not happen; trying again may help
  unknown_outcome = AGENTD_UNKNOWN_OUTCOME,  // it may or may not have happened
  cancelled = AGENTD_CANCELLED,              // it did not happen, because somebody asked it to stop
};

struct Error : std::runtime_error {
  explicit Error(const std::string& message, Failure why = Failure::terminal, int64_t after_ms = -1)
      : std::runtime_error(message), failure(why), retry_after_ms(after_ms) {}

  Failure failure;
  int64_t retry_after_ms;  // with Failure::retryable: not sooner than this; -1: not known
};

}  // namespace agentd::sdk
