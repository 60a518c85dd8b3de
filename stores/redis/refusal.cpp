#include "refusal.hpp"

#include <string>

namespace agentd::redis {
namespace {

// Redis 6 reports what a script met within: "ERR Error running script ...: -OOM command not allowed".
bool has_code(std::string_view error, std::string_view code) {
  const auto spaced = std::string(code) + " ";
  return error.starts_with(spaced) || error.find(" -" + spaced) != std::string_view::npos;
}

template <std::size_t N>
bool has_one_of(std::string_view error, const std::string_view (&codes)[N]) {
  for (const auto code : codes)
    if (has_code(error, code)) return true;
  return false;
}

constexpr std::string_view kNotReady[] = {"LOADING", "BUSY"};
constexpr std::string_view kPassing[] = {"OOM", "MISCONF", "READONLY", "NOREPLICAS", "MASTERDOWN", "TRYAGAIN"};
constexpr std::string_view kCluster[] = {"MOVED", "ASK", "CROSSSLOT", "CLUSTERDOWN"};

}  // namespace

bool is_not_ready(std::string_view error) { return has_one_of(error, kNotReady); }

sdk::Error refusal(std::string_view error) {
  const auto told = "it answered \"" + std::string(error.substr(0, error.find(", with args beginning with"))) + "\"";
  const bool is_cluster = has_one_of(error, kCluster) || error.find("in a cluster node") != std::string_view::npos;
  if (is_cluster) return sdk::Error(told + ": Redis Cluster is not supported; name a server that stands alone");
  if (has_code(error, "NOAUTH")) return sdk::Error("it asks for a password; set password = \"env:NAME\"");
  const bool passes = is_not_ready(error) || has_one_of(error, kPassing) || error.find("max number of clients") != std::string_view::npos;
  return sdk::Error(told, passes ? sdk::Failure::retryable : sdk::Failure::terminal);
}

}  // namespace agentd::redis
