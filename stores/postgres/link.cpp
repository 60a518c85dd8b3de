#include "link.hpp"

#include <algorithm>

namespace agentd::postgres {
namespace {

constexpr std::chrono::milliseconds kFirstPause{100}, kLongestPause{2000};

}  // namespace

Connection& Link::get() {
  if (auto* known = current()) return *known;
  connection_.reset();
  if (std::chrono::steady_clock::now() < next_try_) throw PgError({}, why_);
  try {
    connection_ = std::make_unique<Connection>(place_);
    pause_ = {};
  } catch (const PgError& e) {
    why_ = e.what();
    pause_ = std::clamp(pause_ * 2, kFirstPause, kLongestPause);
    next_try_ = std::chrono::steady_clock::now() + pause_;
    throw;
  }
  return *connection_;
}

}  // namespace agentd::postgres
