#include "durability.hpp"

#include <optional>

namespace agentd::redis {
namespace {

// Nothing where the server does not say.
std::optional<std::string> configured(Connection& connection, std::string_view name, Deadline until) {
  const auto reply = connection.ask(Command("CONFIG", "GET", name), until);
  if (reply.is_error() || reply.size() != 2) return std::nullopt;
  return std::string(reply[1].text());
}

}  // namespace

std::string doubts_about(Connection& connection, Deadline until) {
  const auto append = configured(connection, "appendonly", until), save = configured(connection, "save", until), eviction = configured(connection, "maxmemory-policy", until);
  if (!append || !save) return "does not answer CONFIG GET, so it cannot be known whether it keeps anything on a disk";
  std::string doubts;
  if (*append != "yes" && save->empty()) doubts = "has persistence off: when it ends, everything in it is gone; set appendonly yes";
  else if (*append != "yes") doubts = "writes snapshots only (save " + *save + "): when it dies, what came since the last one is gone; set appendonly yes";
  if (eviction && eviction->starts_with("allkeys-")) {
    if (!doubts.empty()) doubts += "; it ";
    doubts += "throws away keys when its memory is full (maxmemory-policy " + *eviction + "); set noeviction";
  }
  return doubts;
}

}  // namespace agentd::redis
