// `schema`, `config show`, `schedule next`: answers from files alone, no plugin is loaded.
#include <nlohmann/json.hpp>
#include <ostream>

#include "core/base/real_world.hpp"
#include "core/manifest/agents.hpp"
#include "core/manifest/nearest.hpp"
#include "core/schedule/schedule.hpp"
#include "host/commands.hpp"
#include "host/setup.hpp"

namespace agentd::host {
namespace {
using Json = nlohmann::ordered_json;

int refuse(const cli::Output& to, const std::string& why) {
  to.err << "agentd: " << why << '\n';
  return cli::kUsage;
}

Result<manifest::Schedule> schedule_of(const cli::ScheduleNext& command) {
  manifest::Schedule schedule;
  if (!command.cron.empty()) schedule.when = manifest::Cron{command.cron};
  if (!command.interval.empty()) {
    const auto every = parse_duration(command.interval);
    if (!every) return fail("--interval: " + every.error().message);
    schedule.when = manifest::Interval{*every};
  }
  return schedule;
}

// The agent's own; its manifest need not be right in everything.
std::expected<manifest::Schedule, int> schedule_of_agent(const cli::ScheduleNext& command, const cli::Output& to) {
  const auto setup = usable_setup(command.surroundings, to);
  if (!setup) return std::unexpected(setup.error());
  const auto& config = setup->loaded.config;
  const auto loaded = manifest::load_agents(config.host.agent_dirs, config, {}, setup->around.working_folder);
  for (const auto& agent : loaded.agents) {
    if (agent.agent_id != command.agent) continue;
    if (agent.spec) return agent.spec->schedule;
    print(agent.problems, to);
    return std::unexpected(cli::kUsage);
  }
  std::string folders;
  for (const auto& folder : config.host.agent_dirs) folders += (folders.empty() ? "" : ", ") + folder;
  std::vector<std::string> names;
  for (const auto& agent : loaded.agents) names.push_back(agent.agent_id);
  return std::unexpected(refuse(to, "there is no agent \"" + command.agent + "\" in " + folders + manifest::did_you_mean(command.agent, names) + "; of one that a running host has without a file, agentd status tells the next run"));
}

}  // namespace

int perform(const cli::Schema& command, const cli::Output& to) {
  to.out << (command.of == cli::Schema::Of::manifest ? manifest::manifest_schema() : manifest::config_schema()) << '\n';
  return cli::kDone;
}

int perform(const cli::ConfigShow& command, const cli::Output& to) {
  const auto setup = usable_setup(command.surroundings, to);
  if (!setup) return setup.error();
  Json list = Json::array();
  cli::Table table({{"key", cli::Cut::never}, "value", "from"});
  for (const auto& setting : setup->loaded.settings) {
    table.row({setting.key, setting.value, setting.from});
    list.push_back({{"key", setting.key}, {"value", Json::parse(setting.value, nullptr, false)}, {"from", setting.from}});
  }
  to.out << (command.json ? list.dump(2, ' ', false, Json::error_handler_t::replace) + "\n" : table.text(to.terminal));
  for (const auto& note : setup->loaded.notes) to.err << "note: " << note << '\n';
  return cli::kDone;
}

int perform(const cli::ScheduleNext& command, const cli::Output& to) {
  if (command.agent.empty() && command.cron.empty() && command.interval.empty()) return refuse(to, "name an agent, or give --cron or --interval");
  manifest::Schedule wanted;
  if (!command.agent.empty()) {
    const auto own = schedule_of_agent(command, to);
    if (!own) return own.error();
    wanted = *own;
  } else {
    const auto given = schedule_of(command);
    if (!given) return refuse(to, given.error().message);
    wanted = *given;
  }
  if (!command.timezone.empty()) wanted.timezone = command.timezone;
  auto after = SystemClock().now();
  if (!command.from.empty()) {
    const auto from = parse_instant(command.from);
    if (!from) return refuse(to, "--from: " + from.error().message);
    after = *from;
  }
  const auto schedule = schedule::make_schedule(wanted);
  if (!schedule) return refuse(to, schedule.error().message);
  Json list = Json::array();
  for (std::size_t i = 0; *schedule && i < command.count; ++i) {
    const auto slot = schedule::next_slot(**schedule, after);
    if (!slot) break;
    list.push_back({{"scheduled_at", format_instant_s(*slot)}});
    if (!command.json) to.out << format_instant_s(*slot) << '\n';
    after = *slot;
  }
  if (command.json) to.out << list.dump() << '\n';
  if (!*schedule) to.err << "no schedule: the agent runs only by hand or by a trigger\n";
  return cli::kDone;
}

}  // namespace agentd::host
