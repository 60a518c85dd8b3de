// What every component of this plugin is told.
#pragma once
#include <agentd/sdk/duration.hpp>
#include <agentd/sdk/fields.hpp>

#include <string>

namespace agentd::postgres {

struct Settings {
  sdk::Required<sdk::Secret> url;              // as libpq takes it: postgres://user@host/database?sslmode=verify-full, or keywords
  std::string schema = "agentd";               // of the tables; made when it is not there
  sdk::Duration clock_skew{std::chrono::seconds(5)};  // more than this between the caller's clock and the server's, and nothing is taken in
  sdk::Duration timeout{std::chrono::seconds(5)};      // of memory and events: one operation, waiting for a server that restarts included
  AGENTD_FIELDS(url, schema, clock_skew, timeout)
};

}  // namespace agentd::postgres
