// A connection that is made again when it was lost.
#pragma once
#include <memory>

#include "connection.hpp"

namespace agentd::postgres {

// One thread at a time. A server that is away is not asked at every call: after each failure it is left alone for longer, up to 2 s.
class Link {
 public:
  explicit Link(Place place) : place_(std::move(place)) {}
  Connection& get();  // throws PgError where there is none to be had
  Connection* current() { return connection_ && !connection_->is_lost() ? connection_.get() : nullptr; }
  const Place& place() const { return place_; }

 private:
  const Place place_;
  std::unique_ptr<Connection> connection_;
  std::chrono::steady_clock::time_point next_try_{};
  std::chrono::milliseconds pause_{0};
  std::string why_;
};

}  // namespace agentd::postgres
