// `agentd serve`: the one place that names every object of a running host. Made from top to bottom, ended from bottom to top.
#include <sys/resource.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdlib>
#include <ostream>

#include "host/api/certificate.hpp"
#include "host/api/endpoints.hpp"
#include "host/api/guard.hpp"
#include "host/api/server.hpp"
#include "host/commands.hpp"
#include "host/engine.hpp"
#include "host/enrolment.hpp"
#include "host/file_triggers.hpp"
#include "host/front_door.hpp"
#include "host/heartbeat.hpp"
#include "host/overtaking.hpp"
#include "host/places.hpp"
#include "host/plugin_watch.hpp"
#include "host/reload.hpp"
#include "host/retention.hpp"
#include "host/setup.hpp"
#include "host/slots.hpp"
#include "host/supervisor.hpp"
#include "host/version.hpp"
#include "host/watch.hpp"

namespace agentd::host {
namespace {

// Thousands of model calls at once need as many descriptors.
void allow_many_descriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// Clients have three quarters of what the process may open at most: model calls, files and tools have the rest.
api::ServerLimits limits_of_api() {
  api::ServerLimits limits;
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur / 4 * 3 >= limits.connections) return limits;
  limits.connections = std::max<std::size_t>(files.rlim_cur / 4 * 3, 64);
  limits.streams = limits.connections / 4 * 3;
  limits.requests = std::min(limits.requests, limits.connections / 4);
  return limits;
}

class Serving {
 public:
  Serving(Setup& setup, const cli::Serve& command)
      : config_(setup.loaded.config), setup_(setup), command_(command), run_for_(command.run_for),
        ground_(setup.loaded, setup.around.environment, setup.plugin_folders, config_.host.state_dir), engine_(ground_, config_, {}),
        signals_(ground_.io, SIGINT, SIGTERM, SIGHUP) {
    for (const auto& note : setup.loaded.notes) ground_.log.info("config", note);
  }

  // Before anything is opened: whoever cannot have the address, or lets anybody in, starts no run.
  std::expected<void, std::vector<manifest::Problem>> bind() {
    auto door = open_front_door(setup_.loaded, resolver());
    if (!door) return std::unexpected(std::move(door.error()));
    server_.emplace(ground_.world, routes_, limits_of_api(), [this](const api::Served& s) { ground_.metrics.observe_http(s.route, s.method, s.status, s.seconds); },
                    [this](const std::string& text) { ground_.log.warn("api", text); });
    if (!door->access.is_open() && !door->certificate && !api::is_loopback(api::parse_address(config_.api.listen)->host))
      ground_.log.warn("api", config_.api.listen + " is reached from elsewhere without TLS: tokens travel as they are; set [api] tls, or put a proxy in front");
    server_->admit(std::move(door->access));
    if (door->certificate) server_->show(std::move(door->certificate));
    if (auto bound = server_->bind(config_.api.listen); !bound) return std::unexpected(std::vector{problem_at(setup_.loaded, {"api", "listen"}, bound.error().message)});
    return {};
  }
  int run() { return ground_.run(story()); }

 private:
  Resolve resolver() {
    return [this](const manifest::SecretRef& reference) { return ground_.ports.secret(reference); };
  }

  Async<int> story() {
    spawn(ground_.world.executor, listen_to_signals());
    const auto up = co_await start();
    if (!up) {
      ground_.log.error("host", up.error().message);
      co_await stop("failed to start");
      co_return cli::kFailed;
    }
    co_await until_asked_to_stop();
    co_await stop(reason_);
    co_return cli::kDone;
  }

  Async<Result<void>> start() {
    auto opened = co_await engine_.open();
    if (!opened) co_return opened;
    co_await engine_.load_agents(agent_folders(setup_.loaded), setup_.around.working_folder);
    if (engine_.roster().members().empty() && engine_.roster().refused().empty()) ground_.log.warn("agents", no_agents(config_));
    slots_.emplace(ground_.world, engine_.ledger(), engine_.roster(), ground_.log, &engine_.sharing());
    auto started = co_await engine_.start();
    if (!started) co_return started;
    overtaking_.emplace(ground_.world, engine_.ledger(), engine_.roster(), engine_.worker(), ground_.log);
    engine_.journal().on_entry([this](const port::StoredRecord& record, const event::Entered& entered) { overtaking_->see(record, entered); });
    co_await overtaking_->start();
    co_await slots_->start();
    watch_.emplace(Watch::Ground{ground_.world, engine_.ledger(), engine_.leases(), engine_.sharing(), config_, engine_.roster(), ground_.ports, engine_.modes(), engine_.copiers(), engine_.journal(), ground_.log});
    auto watching = co_await watch_->start();
    if (!watching) co_return watching;
    file_triggers_.emplace(ground_.world, engine_.ledger(), engine_.roster(), ground_.redactor, ground_.log);
    co_await file_triggers_->start();
    auto tell = [this](const std::string& text) { ground_.log.warn("ledger", text); };
    Retention::Rules rules{config_.ledger.retention, config_.events.stores};
    for (const auto& [name, sink] : ground_.ports.sinks()) rules.sinks.push_back(name);
    retention_.emplace(ground_.world, engine_.ledger(), engine_.upkeep(), std::move(rules), std::move(tell));
    retention_->start(engine_.leases());
    fleet_.emplace(Fleet::Ground{ground_.world, engine_, *slots_, *file_triggers_, *watch_, ground_.log, [this] { if (reload_) reload_->look_soon(); }});
    co_await fleet_->start();
    Reload::Doorkeeper doorkeeper{resolver(), [this](api::Access access) { server_->admit(std::move(access)); }};
    reload_.emplace(ground_.world, setup_, command_, std::move(doorkeeper), *fleet_, *watch_, engine_.roster(), ground_.log);
    reload_->start();
    enrolment_.emplace(Enrolment::Ground{ground_.world, config_, ground_.ports, engine_, *fleet_, ground_.log, [this] { reload_->look_soon(); }});
    enrolment_->start();
    plugin_watch_.emplace(PluginWatch::Ground{ground_.world, setup_.plugin_folders, ground_.ports, engine_, *fleet_, ground_.log, [this] { reload_->look_soon(); }});
    plugin_watch_->start();
    start_heartbeat();
    open_api();
    co_return Result<void>();
  }

  void start_heartbeat() {
    if (config_.heartbeat.url.text.empty()) return;
    const auto url = ground_.ports.secret(config_.heartbeat.url);
    if (!url) return ground_.log.error("heartbeat", "there is none: " + url.error().message);
    heartbeat_.emplace(SinkGround{ground_.world, ground_.ports.http(), ground_.log}, engine_.ledger(), *url, config_.heartbeat.every);
    heartbeat_->start();
  }

  void open_api() {
    decisions_.emplace(ground_.world, engine_.ledger(), ground_.redactor);
    context_.emplace(api::Context{ground_.world, config_, engine_.ledger(), engine_.upkeep(), engine_.sharing(), engine_.leases(), ground_.ports, engine_.roster(), engine_.journal(), engine_.deltas(), *slots_, engine_.worker(), *decisions_, engine_.copiers(), *watch_, engine_.modes(), *fleet_, *enrolment_, *reload_, ground_.metrics, ground_.clock.now()});
    api::add_endpoints(routes_, *context_);
    for (const auto& route : routes_.all()) ground_.metrics.know_route(route.pattern);
    context_->ready = true;
    server_->start();
    supervisor_.ready();
    const auto& roster = engine_.roster();
    ground_.log.info("host", std::string("agentd ") + kVersion + " is ready at " + (server_->is_secure() ? "https://" : "http://") + config_.api.listen.substr(0, config_.api.listen.rfind(':') + 1) + std::to_string(server_->port()) + ": " +
                                 std::to_string(roster.members().size()) + (roster.members().size() == 1 ? " agent" : " agents") + (roster.refused().empty() ? "" : ", " + std::to_string(roster.refused().size()) + " refused") + ", " +
                                 std::to_string(ground_.ports.catalog().libraries().size()) + " plugins, state in " + config_.host.state_dir);
  }

  // The first signal drains, the second stops at once, which is as safe as any other death.
  Async<void> listen_to_signals() {
    constexpr auto use_tuple = boost::asio::as_tuple(boost::asio::use_awaitable);
    while (true) {
      const auto [error, signal] = co_await signals_.async_wait(use_tuple);
      if (error) co_return;
      if (signal == SIGHUP) {
        if (reload_ && !stopping_.stop_requested()) spawn(ground_.world.executor, reload());
        continue;
      }
      if (stopping_.stop_requested()) std::_Exit(cli::kFailed);
      ground_.log.info("host", "stopping: running steps have " + format_duration(config_.host.drain_timeout) + " to end; a second signal stops at once");
      reason_ = signal == SIGINT ? "SIGINT" : "SIGTERM";
      stopping_.request_stop();
    }
  }

  Async<void> reload() {
    supervisor_.reloading();
    auto reading = reload_->everything();
    const auto read = co_await std::move(reading);
    supervisor_.ready_again();
  }

  Async<void> until_asked_to_stop() {
    constexpr Millis kForEver = std::chrono::days(365);
    do {
      co_await sleep(ground_.world.timers, run_for_.value_or(kForEver), stopping_.get_token());
    } while (!run_for_ && !stopping_.stop_requested());
    if (reason_.empty()) reason_ = "--for";
    stopping_.request_stop();
  }

  Async<void> stop(std::string reason) {
    if (context_) context_->draining = true;
    supervisor_.stopping();
    if (plugin_watch_) co_await plugin_watch_->stop();
    if (enrolment_) co_await enrolment_->stop();
    if (reload_) co_await reload_->stop();
    if (heartbeat_) co_await heartbeat_->stop();
    if (fleet_) co_await fleet_->stop();
    if (slots_) slots_->stop();
    if (retention_) retention_->stop();
    if (file_triggers_) file_triggers_->stop();
    if (overtaking_) overtaking_->stop();
    if (watch_) co_await watch_->stop();
    co_await engine_.stop(config_.host.drain_timeout, std::move(reason));
    if (server_) co_await server_->stop();  // who waits for a run is answered what it is now
    co_await engine_.close();
    signals_.cancel();
    ground_.log.info("host", "stopped");
  }

  const manifest::HostConfig& config_;
  Setup& setup_;
  const cli::Serve& command_;
  const std::optional<Millis> run_for_;
  Ground ground_;
  Engine engine_;
  std::optional<Slots> slots_;
  std::optional<run::Decisions> decisions_;
  Supervisor supervisor_{ground_.world.timers};
  std::optional<Overtaking> overtaking_;
  std::optional<FileTriggers> file_triggers_;
  std::optional<Retention> retention_;
  std::optional<Watch> watch_;
  std::optional<Fleet> fleet_;
  std::optional<Reload> reload_;
  std::optional<Enrolment> enrolment_;
  std::optional<PluginWatch> plugin_watch_;
  std::optional<Heartbeat> heartbeat_;
  api::Routes routes_;
  std::optional<api::Context> context_;
  std::optional<api::Server> server_;
  boost::asio::signal_set signals_;
  std::stop_source stopping_;
  std::string reason_;
};

}  // namespace

// Early it asks for what is being done, late for nothing that could be done. Asio gives a signal its default back, which is death, when
// nobody listens any more: this one does until the process is gone.
void outlive_hang_ups() {
  static auto& ears = *new boost::asio::io_context(1);
  [[maybe_unused]] static auto& heard = *new boost::asio::signal_set(ears, SIGHUP);
}

int perform(const cli::Serve& command, const cli::Output& to) {
  outlive_hang_ups();
  auto setup = usable_setup(command.surroundings, to, command.listen);
  if (!setup) return setup.error();
  if (const auto problem = state_problem(setup->loaded)) return print({*problem}, to), cli::kUsage;
  if (const auto made = make_private_folder(setup->loaded.config.host.state_dir); !made) {
    to.err << "agentd: " << made.error().message << '\n';
    return cli::kUsage;
  }
  allow_many_descriptors();
  Serving serving(*setup, command);
  if (const auto bound = serving.bind(); !bound) return print(bound.error(), to), cli::kUsage;
  return serving.run();
}

}  // namespace agentd::host
