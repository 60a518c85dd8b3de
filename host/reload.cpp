#include "host/reload.hpp"

#include <algorithm>
#include <map>

namespace agentd::host {
namespace {

bool is_put_in_force(const std::string& key) { return key == "host.agent_dirs" || key == "api.tokens" || key.starts_with("defaults."); }

// Manifests and what they name. An empty name: anything may have changed. "..data" is the link that a Kubernetes node swaps when a ConfigMap
// has changed: the files are links through it.
bool may_matter(std::string_view name) {
  return name.empty() || name == "..data" || name.ends_with(".toml") || name.ends_with(".json") || name.ends_with(".md");
}

// Of the rest, what differs.
std::vector<std::string> differences(const manifest::LoadedConfig& now, const manifest::LoadedConfig& fresh) {
  std::map<std::string, std::string> before;
  for (const auto& setting : now.settings) before[setting.key] = setting.value;
  std::vector<std::string> keys;
  for (const auto& setting : fresh.settings) {
    const auto known = before.extract(setting.key);
    if (!is_put_in_force(setting.key) && (known.empty() || known.mapped() != setting.value)) keys.push_back(setting.key);
  }
  for (const auto& [key, value] : before)
    if (!is_put_in_force(key)) keys.push_back(key);
  std::ranges::sort(keys);
  return keys;
}

}  // namespace

Reload::Reload(World world, Setup& setup, const cli::Serve& command, Doorkeeper doorkeeper, Fleet& fleet, Watch& watch, const Roster& roster, const Log& log)
    : world_(world), setup_(setup), command_(command), doorkeeper_(std::move(doorkeeper)), fleet_(fleet), alerts_(watch), roster_(roster), log_(log),
      watch_(world, [this](const std::string&, std::string_view name) { if (may_matter(name)) arm(kSettle); },
             [this](const std::string& why) { log_.warn("agents", why); }, kLongestPause, true) {}

void Reload::start() {
  watch_.open();
  watch_folders();
}

Async<void> Reload::stop() {
  stopping_.request_stop();
  watch_.stop();
  world_.timers.cancel(std::exchange(timer_, 0));
  const auto last = co_await turns_.take();
}

void Reload::watch_folders() {
  for (const auto& folder : setup_.loaded.config.host.agent_dirs) watch_.add(folder);
}

void Reload::arm(Millis delay) {
  if (stopping_.stop_requested() || (timer_ != 0 && armed_for_ <= delay)) return;
  world_.timers.cancel(timer_);
  armed_for_ = delay;
  timer_ = world_.timers.after(delay, [this] {
    timer_ = 0;
    spawn(world_.executor, look());
  });
}

Async<void> Reload::look() {
  const auto turn = co_await turns_.take();
  if (stopping_.stop_requested()) co_return;
  Outcome outcome;
  auto loading = agents(outcome);
  co_await std::move(loading);
  const bool may_pass = !outcome.problems.empty() || roster_.may_pass();
  if (outcome.problems != told_)
    for (const auto& problem : outcome.problems) log_.error("agents", manifest::to_text(problem));
  told_ = std::move(outcome.problems);
  again_in_ = may_pass ? std::min(again_in_ * 2, kLongestPause) : kFirstPause;
  if (may_pass) arm(again_in_);
}

Async<void> Reload::agents(Outcome& outcome) {
  auto loading = fleet_.reload(agent_folders(setup_.loaded), setup_.around.working_folder);
  auto changes = co_await std::move(loading);
  agents_are_current_ = changes && roster_.refused().empty();
  if (changes) outcome.changes = std::move(*changes);
  else outcome.problems.push_back({{}, 0, 0, changes.error().message});
}

// Nothing is half in force: a file with a mistake in it changes nothing.
Async<Reload::Outcome> Reload::everything() {
  const auto turn = co_await turns_.take();
  Outcome outcome;
  if (stopping_.stop_requested()) co_return outcome;
  auto fresh = read_setup(command_.surroundings, command_.listen);
  if (!fresh) outcome.problems.push_back({{}, 0, 0, fresh.error().message});
  else outcome.problems = fresh->loaded.problems;
  if (outcome.problems.empty()) outcome.problems = agent_folder_problems(fresh->loaded);
  FrontDoor door;
  if (outcome.problems.empty()) {
    auto opened = open_front_door(fresh->loaded, doorkeeper_.resolve);
    if (opened) door = std::move(*opened);
    else outcome.problems = std::move(opened.error());
  }
  config_is_current_ = outcome.problems.empty();
  if (outcome.problems.empty()) {
    doorkeeper_.admit(std::move(door.access));
    put_in_force(std::move(*fresh), outcome);
    auto loading = agents(outcome);
    co_await std::move(loading);
  }
  if (roster_.may_pass()) arm(kFirstPause);
  for (const auto& problem : outcome.problems) log_.error("config", manifest::to_text(problem));
  if (!outcome.problems.empty()) log_.error("config", "nothing was reloaded");
  for (const auto& key : outcome.needs_restart) log_.warn("config", key + " has changed: that takes a restart");
  co_return outcome;
}

void Reload::put_in_force(Setup fresh, Outcome& outcome) {
  outcome.needs_restart = differences(setup_.loaded, fresh.loaded);
  config_is_current_ = outcome.needs_restart.empty();
  auto& config = setup_.loaded.config;
  config.defaults = fresh.loaded.config.defaults;
  config.host.agent_dirs = fresh.loaded.config.host.agent_dirs;
  config.api.tokens = fresh.loaded.config.api.tokens;
  setup_.loaded.tree = fresh.loaded.tree;
  alerts_.take_defaults();
  watch_folders();
}

}  // namespace agentd::host
