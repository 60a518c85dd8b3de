#include "core/base/result.hpp"

#include <array>

namespace agentd {
namespace {
constexpr std::array kNames = {"retryable", "terminal", "timeout", "budget", "policy", "schema", "loop", "unknown_outcome", "crash", "internal"};
}

const char* name(ErrorClass c) { return kNames[static_cast<std::size_t>(c)]; }

std::optional<ErrorClass> error_class(std::string_view wanted) {
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (wanted == kNames[i]) return static_cast<ErrorClass>(i);
  return std::nullopt;
}

}  // namespace agentd
