#include "host/doctor/running_host.hpp"

#include <nlohmann/json.hpp>

#include "core/net/client.hpp"
#include "host/api/guard.hpp"
#include "host/doctor/ask.hpp"
#include "host/version.hpp"

namespace agentd::doctor {
namespace {

constexpr const char* kOther = "End what listens there, or give this host another [api] listen.";

// Of a client on this machine.
Result<std::string> url_of(const manifest::ApiSection& api) {
  const auto address = api::parse_address(api.listen);
  if (!address) return std::unexpected(address.error());
  auto host = address->host == "0.0.0.0" ? "127.0.0.1" : address->host == "::" ? "::1" : address->host;
  if (host.contains(':')) host = "[" + host + "]";
  return (api.tls ? "https://" : "http://") + host + ":" + address->port;
}

Finding no_answer(const std::string& url, const Error& why, pid_t holder) {
  if (why.message.contains("certificate")) return warning("host", "it speaks TLS, but " + why.message, "Ask it by the name that its certificate has: agentd status --url https://NAME:PORT --cacert FILE.");
  if (!why.message.starts_with("could not connect")) return failed("host", "something listens at " + url + ", but does not answer as a host: " + why.message, kOther);
  if (holder != 0)
    return warning("host", "process " + std::to_string(holder) + " has the state folder, but " + why.message, "Look whether its configuration has another [api] listen than " + url + ", or its log for why it does not answer.");
  return warning("host", "none runs: " + why.message, "agentd serve starts one.");
}

std::string detail_of(const Heard& heard) {
  const auto problem = nlohmann::json::parse(heard.body, nullptr, false);
  return problem.is_object() && problem.contains("detail") && problem["detail"].is_string() ? problem["detail"].get<std::string>() : std::to_string(heard.status);
}

Finding about_version(const std::string& url, const Heard& health, const Heard& readiness) {
  const std::string mine = std::string("agentd/") + kVersion;
  const bool is_closed = health.status == 401;  // to whoever shows no token from elsewhere
  if ((health.status != 200 && !is_closed) || !health.server.starts_with("agentd/"))
    return failed("host", "something else than agentd answers at " + url, kOther);
  if (readiness.status != 200 && !is_closed) return failed("host", health.server + " at " + url + " is not ready: " + detail_of(readiness), "Look at its log.");
  if (health.server != mine) return warning("host", health.server + " is ready at " + url + ", and this is " + mine, "Restart the host to have the version that is installed.");
  return ok("host", health.server + (is_closed ? " answers at " : " is ready at ") + url);
}

}  // namespace

Async<Findings> ask_running_host(World world, const manifest::HostConfig& config, const api::Access& access, Visitor visitor, pid_t holder) {
  const auto url = url_of(config.api);
  if (!url) co_return Findings{failed("host", url.error().message, "Correct [api] listen.")};
  net::Client http(world, {.user_agent = std::string("agentd/") + kVersion, .proxy = {}, .ca_file = config.api.tls ? config.api.tls->cert : ""});
  auto healthy = ask(http, *url + "/healthz", {});
  const auto health = co_await std::move(healthy);
  if (!health) co_return Findings{no_answer(*url, health.error(), holder)};
  auto readying = ask(http, *url + "/readyz", {});
  const auto readiness = co_await std::move(readying);
  if (!readiness) co_return Findings{no_answer(*url, readiness.error(), holder)};
  Findings findings{about_version(*url, *health, *readiness)};
  if (findings.front().state == State::failed || visitor.token.empty()) co_return findings;
  auto admitting = ask(http, *url + "/v1/status", {{"Authorization", "Bearer " + visitor.token}});
  const auto admitted = co_await std::move(admitting);
  const auto* caller = access.caller("Bearer " + visitor.token);
  const auto who = visitor.from + (caller ? ", with the role " + std::string(api::name(caller->role)) + "," : "");
  if (!admitted) findings.push_back(failed("token", admitted.error().message, "Look at the host's log."));
  else if (admitted->status == 401) findings.push_back(failed("token", visitor.from + " is refused", caller ? "Let the host read its configuration again: SIGHUP, or POST /-/reload." : "Set AGENTD_API_TOKEN to one of [api] tokens."));
  else findings.push_back(ok("token", who + " is accepted"));
  co_return findings;
}

}  // namespace agentd::doctor
