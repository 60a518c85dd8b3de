// `agentd doctor`: what a host with these options would reach, and what to do about the rest. It changes nothing.
#include <algorithm>
#include <filesystem>
#include <future>
#include <nlohmann/json.hpp>
#include <ostream>
#include <thread>

#include "core/manifest/secrets.hpp"
#include "host/apart.hpp"
#include "host/commands.hpp"
#include "host/doctor/machine.hpp"
#include "host/doctor/providers.hpp"
#include "host/doctor/running_host.hpp"
#include "host/doctor/state_folder.hpp"
#include "host/fatal_plugins.hpp"
#include "host/front_door.hpp"
#include "host/ground.hpp"
#include "host/roster.hpp"
#include "host/setup.hpp"
#include "host/together.hpp"

namespace agentd::host {
namespace {

namespace fs = std::filesystem;
using doctor::failed;
using doctor::Finding;
using doctor::Findings;
using doctor::ok;
using doctor::State;
using doctor::warning;
using Json = nlohmann::ordered_json;

constexpr const char* kSeeCheck = "agentd check says where, and what would be right.";
constexpr const char* kDamaged = "agentd check --ledger says which rows; a backup goes back with agentd ledger restore.";
constexpr plugin::Patience kImpatience{.create = Millis(5'000), .destroy = Millis(2'000)};
constexpr std::chrono::seconds kLedgerWithin{3};
constexpr Millis kStoreWithin{5'000};

std::string counted(std::size_t count, const std::string& what) { return std::to_string(count) + " " + what + (count == 1 ? "" : "s"); }

// Its files are its own, and a host may have them open.
bool has_files(const plugin::Component& component) {
  const auto schema = nlohmann::json::parse(component.settings_schema, nullptr, false);
  return schema.is_object() && schema.contains("/properties/path"_json_pointer);
}

class Doctor {
 public:
  explicit Doctor(const Setup& setup)
      : setup_(setup), config_(setup.loaded.config), quiet_(silenced(setup.loaded)), ground_(quiet_, setup.around.environment, setup.plugin_folders, config_.host.state_dir, kImpatience) {}

  Findings look() { return ground_.run(story()); }

 private:
  static manifest::LoadedConfig silenced(manifest::LoadedConfig loaded) {
    loaded.config.log.level = "off";
    return loaded;
  }

  Async<Findings> story() {
    add(ok("configuration", config_.file.empty() ? "there is no file: the defaults serve" : config_.file));
    co_await ground_.ports.open(Ports::Stores::only_looked_at);
    co_await look_at_agents();
    const auto state = doctor::look_at_state(config_.host.state_dir);
    for (const auto& finding : state.findings) add(finding);
    look_at_ledger(state.is_usable);
    look_at_plugins();
    look_at_toolsets();
    co_await look_at_stores();
    co_await look_at_providers();
    look_at_sinks();
    co_await look_at_host(state.holder);
    add(doctor::clock(ground_.clock.now(), config_.host.state_dir));
    add(doctor::open_files());
    add(doctor::time_zones());
    for (auto& finding : findings_) ground_.redactor.clean(finding.found);
    co_await ground_.ports.close();
    co_return std::move(findings_);
  }

  void add(Finding finding) { findings_.push_back(std::move(finding)); }

  Async<void> look_at_agents() {
    auto loaded = co_await read_agents(agent_folders(setup_.loaded), config_, ground_.ports, setup_.around.working_folder);
    if (!loaded.problems.empty()) loaded.problems = agent_folder_problems(setup_.loaded);
    const auto refused = static_cast<std::size_t>(std::ranges::count_if(loaded.agents, [](const auto& agent) { return !agent.spec; }));
    const auto all = counted(loaded.agents.size(), "agent");
    if (refused > 0 || !loaded.problems.empty()) add(failed("agents", all + ", " + std::to_string(refused) + " refused" + (loaded.problems.empty() ? "" : "; " + to_text(loaded.problems.front())), kSeeCheck));
    else if (loaded.agents.empty()) add(warning("agents", no_agents(config_), "Write one, or name their folder with --agents or [host] agent_dirs."));
    else add(ok("agents", all));
  }

  // Its rows, for as long as a person waits: a page at a time, also beside a host. What is not read in time ends with this process.
  void look_at_ledger(bool has_state) {
    auto files = ground_.ports.ledger_files();
    if (!files) return add(failed("ledger", files.error().message, kSeeCheck));
    std::packaged_task<port::LedgerReport()> check([files = std::shared_ptr(std::move(*files))] { return files->check(); });
    auto checked = check.get_future();
    std::thread(std::move(check)).detach();
    if (checked.wait_for(kLedgerWithin) != std::future_status::ready) return add(ok("ledger", "it can be read; its rows are too many to read them all here: agentd check --ledger does"));
    const auto report = checked.get();
    if (!report.found.empty()) return add(failed("ledger", report.found.front().text + (report.found.size() > 1 ? ", and more" : ""), has_state ? kDamaged : "Make the state folder usable first."));
    add(ok("ledger", report.told.empty() ? "nothing is wrong with it" : report.told.front()));
  }

  void look_at_plugins() {
    for (const auto& folder : config_.host.plugin_dirs) look_for_folder(folder);
    const auto& catalog = ground_.ports.catalog();
    if (setup_.plugin_folders.empty()) add(failed("plugins", "there is no folder of plugins", "Install agentd whole, or name one with --plugins or [host] plugin_dirs."));
    for (const auto& folder : setup_.plugin_folders) {
      const auto loaded = std::ranges::count_if(catalog.libraries(), [&folder](const auto& library) { return library->file.parent_path() == folder; });
      add(ok("plugins", counted(static_cast<std::size_t>(loaded), "plugin") + " of " + folder.string()));
    }
    for (const auto& broken : catalog.broken())
      add(is_hidden(setup_, catalog, broken) ? ok("plugin " + broken.name, broken.reason + "; its folder is searched earlier") : failed("plugin " + broken.name, broken.reason, "Put a build of it there that fits, or take the file away."));
  }
  void look_for_folder(const std::string& folder) {
    std::error_code error;
    if (!fs::is_directory(folder, error)) add(warning("plugins", folder + " is no folder", "Make it, or take it out of [host] plugin_dirs."));
  }

  void look_at_toolsets() {
    for (const auto& [name, toolset] : ground_.ports.toolsets()) {
      if (toolset) add(ok("toolset " + name, counted((*toolset)->tools()->size(), "tool")));
      else if (config_.toolsets.contains(name)) add(failed("toolset " + name, toolset.error().message, "Mend [toolsets." + name + "]; agents that need it are refused."));
      else add(warning("toolset " + name, toolset.error().message, "Write [toolsets." + name + "] where an agent is to have it."));
    }
  }

  std::string uses_of(const std::string& store) const {
    std::string uses = store == config_.ledger.store ? "ledger" : "";
    const auto add_use = [&uses](const char* use) { uses += (uses.empty() ? "" : ", ") + std::string(use); };
    if (store == config_.memory.store) add_use("memory");
    if (std::ranges::find(config_.events.stores, store) != config_.events.stores.end()) add_use("events");
    return uses;
  }

  // Why the store cannot be what it is used for; nothing: it can.
  std::optional<std::string> unfit(const std::string& store) const {
    std::vector<plugin::Kind> kinds;
    if (store == config_.ledger.store) kinds.push_back(plugin::Kind::ledger);
    if (store == config_.memory.store) kinds.push_back(plugin::Kind::memory);
    if (std::ranges::find(config_.events.stores, store) != config_.events.stores.end()) kinds.push_back(plugin::Kind::events);
    for (const auto kind : kinds)
      if (const auto fits = ground_.ports.store(store, kind); !fits) return fits.error().message;
    for (const auto& problem : ground_.ports.problems())
      if (problem.message.starts_with("stores." + store + ": ") || problem.message.starts_with("stores." + store + ".")) return problem.message;
    return std::nullopt;
  }

  Async<void> look_at_stores() {
    for (const auto& [name, entry] : config_.stores) {
      const auto uses = uses_of(name);
      const auto check = "store " + name, what = entry.plugin + (uses.empty() ? "" : ", for " + uses);
      if (const auto why = unfit(name)) {
        add(failed(check, *why, kSeeCheck));
        continue;
      }
      const auto found = store_component(entry.plugin);
      if (!found || has_files(*found->component)) {
        add(ok(check, what + "; not opened: its files are for one process alone"));
        continue;
      }
      if (!ground_.ports.store(name, plugin::Kind::memory)) {
        add(ok(check, what + "; not asked: it only takes"));
        continue;
      }
      co_await ground_.ports.open_memory(name);
      const auto why = co_await why_not_read(name);
      add(why.empty() ? ok(check, what) : failed(check, why, "Start the server behind [stores." + name + "], or correct its address and credentials."));
    }
  }
  // Empty: it answers.
  Async<std::string> why_not_read(std::string store) {
    const auto memory = ground_.ports.memory(store);
    if (!memory) co_return memory.error().message;
    const auto read = co_await (*memory)->list({.agent_id = "doctor", .limit = 1, .timeout = kStoreWithin});
    co_return read ? "" : read.error().message;
  }
  Result<plugin::Catalog::Found> store_component(const std::string& name) const {
    for (const auto kind : {plugin::Kind::memory, plugin::Kind::events})
      if (auto found = ground_.ports.catalog().find(kind, name)) return found;
    return ground_.ports.catalog().find(plugin::Kind::ledger, name);
  }

  // All at once.
  Async<void> look_at_providers() {
    std::vector<Finding> answers(config_.providers.size());
    std::vector<Async<void>> questions;
    std::size_t place = 0;
    for (const auto& [name, entry] : config_.providers) questions.push_back(look_at_provider(name, answers[place++]));
    auto asking = together(std::move(questions));
    co_await std::move(asking);
    for (auto& answer : answers) add(std::move(answer));
  }
  Async<void> look_at_provider(std::string name, Finding& into) {
    const auto& entry = config_.providers.at(name);
    const auto endpoint = ground_.ports.endpoint(name);
    const auto settings = manifest::resolve_settings(entry.settings, setup_.around.environment);
    const auto found = ground_.ports.catalog().find(plugin::Kind::provider, entry.plugin);
    if (!endpoint || !settings || !found) {
      into = failed("provider " + name, !endpoint ? ground_.ports.endpoints().at(name).error().message : !settings ? settings.error().message : found.error().message, "Mend [providers." + name + "]; " + kSeeCheck);
      co_return;
    }
    auto asking = doctor::ask_provider(ground_.ports.http(), {.name = name, .plugin = entry.plugin, .settings = settings->json, .schema = found->component->settings_schema});
    into = co_await std::move(asking);
  }

  void look_at_sinks() {
    for (const auto& [name, sink] : ground_.ports.sinks()) {
      if (sink) add(ok("sink " + name, config_.sinks.at(name).kind + "; nothing is sent to it here"));
      else add(failed("sink " + name, sink.error().message, "Mend [sinks." + name + "]; what it is to be told waits meanwhile."));
    }
  }

  Async<void> look_at_host(pid_t holder) {
    const auto door = open_front_door(setup_.loaded, [this](const manifest::SecretRef& reference) { return ground_.ports.secret(reference); });
    if (!door) {
      for (const auto& problem : door.error()) add(failed("api", manifest::to_text(problem), "Mend [api]: no host starts with it."));
      co_return;
    }
    doctor::Visitor visitor;
    const auto& environment = setup_.around.environment;
    if (const auto given = environment.find("AGENTD_API_TOKEN"); given != environment.end()) visitor = {given->second, given->first};
    if (visitor.token.empty() && !config_.api.tokens.empty()) visitor = {ground_.ports.secret(config_.api.tokens.front().token).value_or(""), "token \"" + config_.api.tokens.front().name + "\""};
    ground_.redactor.add(visitor.token);
    auto asking = doctor::ask_running_host(ground_.world, config_, door->access, std::move(visitor), holder);
    for (auto& finding : co_await std::move(asking)) add(std::move(finding));
  }

  const Setup& setup_;
  const manifest::HostConfig& config_;
  const manifest::LoadedConfig quiet_;
  Ground ground_;
  Findings findings_;
};

int tell(const Findings& findings, bool json, const cli::Output& to) {
  const auto count = [&findings](State state) { return static_cast<std::size_t>(std::ranges::count(findings, state, &Finding::state)); };
  if (json) {
    Json checks = Json::array();
    for (const auto& finding : findings) checks.push_back({{"check", finding.check}, {"state", name(finding.state)}, {"found", finding.found}, {"do", finding.advice.empty() ? Json() : Json(finding.advice)}});
    to.out << Json({{"checks", checks}, {"ok", count(State::ok)}, {"warnings", count(State::warning)}, {"failed", count(State::failed)}}).dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
  } else {
    cli::Table table({{"state", cli::Cut::never}, {"check", cli::Cut::never}, {"found, and what to do", cli::Cut::never}});
    for (const auto& finding : findings) table.row({name(finding.state), finding.check, finding.found + (finding.advice.empty() ? "" : ". " + finding.advice)});
    to.out << table.text(to.terminal);
  }
  return count(State::failed) > 0 ? cli::kFailed : cli::kDone;
}

}  // namespace

// Plugins are made in a child: one that takes its process down is named.
int perform(const cli::Doctor& command, const cli::Output& to) {
  const auto setup = usable_setup(command.surroundings, to);
  if (!setup) return setup.error();
  const auto end = run_apart([&] { return tell(Doctor(*setup).look(), command.json, to); }, to);
  if (end.interrupted) return cli::kFailed;
  if (end.signal == 0) return end.exit_code;
  Findings findings;
  for (const auto& problem : fatal_plugins(*setup, end.signal)) findings.push_back(failed("plugin", manifest::to_text(problem), "Take the file away, or put a build of it there that does not; then ask again for the rest."));
  return tell(findings, command.json, to);
}

}  // namespace agentd::host
