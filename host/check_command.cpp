// `agentd check`: what a host with these options would find.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>

#include "host/apart.hpp"
#include "host/check_cost.hpp"
#include "host/commands.hpp"
#include "host/fatal_plugins.hpp"
#include "host/front_door.hpp"
#include "host/ground.hpp"
#include "host/recall_note.hpp"
#include "host/roster.hpp"
#include "host/setup.hpp"

namespace agentd::host {
namespace {
using Json = nlohmann::ordered_json;

namespace fs = std::filesystem;

fs::path real(const fs::path& path) {
  std::error_code error;
  const auto whole = fs::weakly_canonical(path, error);
  return error ? path.lexically_normal() : whole;
}

bool holds(const fs::path& folder, const fs::path& path) {
  const auto way = path.lexically_relative(folder);
  return !way.empty() && *way.begin() != "..";
}

struct Findings {
  std::vector<manifest::Problem> problems, notes;
  std::vector<AgentCost> costs;
};

// Stores that cannot keep what they are to keep.
void add_stores(const Ports& ports, const manifest::LoadedConfig& loaded, std::vector<manifest::Problem>& problems) {
  const auto look_at = [&](const std::string& name, plugin::Kind kind, std::initializer_list<std::string_view> path) {
    if (!loaded.config.stores.contains(name)) return;  // told already
    if (const auto fits = ports.store(name, kind); !fits) problems.push_back(problem_at(loaded, path, fits.error().message));
  };
  look_at(loaded.config.ledger.store, plugin::Kind::ledger, {"ledger", "store"});
  look_at(loaded.config.memory.store, plugin::Kind::memory, {"memory", "store"});
  for (const auto& name : loaded.config.events.stores) look_at(name, plugin::Kind::events, {"events", "stores"});
}

// A place in the ledger is a run and a position.
manifest::Problem in_ledger(const port::LedgerFinding& finding) {
  if (finding.position == 0) return {"", 0, 0, finding.text};
  const auto run = finding.run.nonce ? "run " + to_text(finding.run) + ": " : finding.run ? "run at position " + std::to_string(finding.run.position) + ": " : std::string();
  return {"", 0, 0, "ledger: position " + std::to_string(finding.position) + ": " + run + finding.text};
}

// What [embedding] is in vain for.
void add_recall(const Ports& ports, const manifest::HostConfig& config, const std::vector<manifest::LoadedAgent>& agents, Findings& findings) {
  if (!ports.embedder()) return;  // nobody wants any, or it is told as a problem
  std::set<std::string> told;
  for (const auto& agent : agents)
    if (const auto note = agent.spec ? recall_note(*agent.spec, config, ports) : std::nullopt; note && told.insert(*note).second) findings.notes.push_back({config.file, 0, 0, *note});
}

// In order of position.
void add_ledger(Ports& ports, Findings& findings) {
  const auto files = ports.ledger_files();
  if (!files) return;  // told with the stores
  const auto report = (*files)->check();
  for (const auto& finding : report.found) findings.problems.push_back(in_ledger(finding));
  for (const auto& told : report.told) findings.notes.push_back({"", 0, 0, told});
}

// Whoever may write what a host reads may give itself whatever that host has.
void add_open_roots(const Setup& setup, Findings& findings) {
  const auto& config = setup.loaded.config;
  std::vector<std::pair<std::string, fs::path>> own = {{"the configuration", config.file}, {"the state folder", config.host.state_dir}};
  for (const auto& folder : agent_folders(setup.loaded)) own.emplace_back("manifests of agents", folder);
  for (const auto& folder : setup.plugin_folders) own.emplace_back("plugins", folder);
  const auto base = config.file.empty() ? fs::path(setup.around.working_folder) : fs::path(config.file).parent_path();
  for (const auto& [name, entry] : config.toolsets) {
    const auto settings = Json::parse(entry.settings, nullptr, false);
    const auto roots = settings.is_object() ? settings.value("roots", Json()) : Json();
    if (entry.plugin != "fs" || !roots.is_array() || settings.value("read_only", Json()) == true) continue;
    for (const auto& root : roots) {
      if (!root.is_string()) continue;
      const auto writable = real(base / root.get<std::string>());
      for (const auto& [what, place] : own)
        if (!place.empty() && holds(writable, real(place)))
          findings.notes.push_back(problem_at(setup.loaded, {"toolsets", name, "roots"}, writable.string() + ", where agents may write, holds " + what + ": " + place.string() + "; name a folder beside it, or set read_only = true"));
    }
  }
}

// Toolsets that cannot be made, and that nobody needs so far.
void add_unused(const Ports& ports, Findings& findings) {
  for (const auto& [name, toolset] : ports.toolsets()) {
    if (toolset) continue;
    const auto says_so = [&reason = toolset.error().message](const manifest::Problem& problem) { return problem.message.find(reason) != std::string::npos; };
    if (std::ranges::none_of(findings.problems, says_so)) findings.notes.push_back({"", 0, 0, "toolset \"" + name + "\" is not there: " + toolset.error().message});
  }
}

Async<Findings> look(Ground& ground, const Setup& setup, bool ledger) {
  Findings findings;
  const auto& config = setup.loaded.config;
  for (const auto& note : setup.loaded.notes) findings.notes.push_back({config.file, 0, 0, note});
  co_await ground.ports.open(Ports::Stores::only_looked_at);
  for (const auto& broken : ground.ports.catalog().broken()) (is_hidden(setup, ground.ports.catalog(), broken) ? findings.notes : findings.problems).push_back({broken.file.string(), 0, 0, broken.reason});
  if (auto problem = state_problem(setup.loaded)) findings.problems.push_back(std::move(*problem));
  for (auto& problem : ground.ports.problems()) findings.problems.push_back(std::move(problem));
  add_stores(ground.ports, setup.loaded, findings.problems);
  if (auto problem = ground.ports.replicas_problem()) findings.problems.push_back(std::move(*problem));
  const auto door = open_front_door(setup.loaded, [&ground](const manifest::SecretRef& reference) { return ground.ports.secret(reference); });
  if (!door) findings.problems.insert(findings.problems.end(), door.error().begin(), door.error().end());
  for (const auto& note : ground.ports.notes()) findings.notes.push_back({config.file, 0, 0, note});
  auto loaded = co_await read_agents(agent_folders(setup.loaded), config, ground.ports, setup.around.working_folder);
  if (!loaded.problems.empty()) loaded.problems = agent_folder_problems(setup.loaded);
  for (auto& problem : manifest::all_problems(loaded)) findings.problems.push_back(std::move(problem));
  for (const auto& agent : loaded.agents) {
    findings.notes.insert(findings.notes.end(), agent.notes.begin(), agent.notes.end());
    if (!agent.spec) continue;
    findings.costs.push_back(cost_of(*agent.spec, config, ground.world.clock.now()));
    if (const auto schedule = schedule::make_schedule(agent.spec->schedule); !schedule) findings.problems.push_back({agent.file, 0, 0, schedule.error().message});
  }
  const auto& causes = setup.loaded.problems;
  if (loaded.agents.empty() && findings.problems.empty() && causes.empty()) findings.notes.push_back({config.file, 0, 0, no_agents(config)});
  manifest::sort_problems(findings.problems);
  std::erase_if(findings.problems, [&](const auto& problem) { return std::ranges::find(causes, problem) != causes.end(); });
  findings.problems.insert(findings.problems.begin(), causes.begin(), causes.end());
  add_unused(ground.ports, findings);
  add_open_roots(setup, findings);
  add_recall(ground.ports, config, loaded.agents, findings);
  if (ledger) add_ledger(ground.ports, findings);
  co_await ground.ports.close();
  co_return findings;
}

Json to_json(const std::vector<manifest::Problem>& problems) {
  Json list = Json::array();
  for (const auto& p : problems) list.push_back({{"file", p.file}, {"line", p.line}, {"column", p.column}, {"message", p.message}});
  return list;
}

int check_here(const cli::Check& command, const Setup& read, const cli::Output& to) {
  const auto* setup = &read;
  auto quiet = setup->loaded;
  quiet.config.log.level = "off";
  Findings findings;
  {
    Ground ground(quiet, setup->around.environment, setup->plugin_folders, quiet.config.host.state_dir);
    findings = ground.run(look(ground, *setup, command.ledger));
  }
  if (command.json) {
    Json found = {{"problems", to_json(findings.problems)}, {"notes", to_json(findings.notes)}};
    if (command.cost) found["cost"] = costs_json(findings.costs, setup->loaded.config.budget.cost_per_day);
    to.out << found.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
  } else {
    for (const auto& problem : findings.problems) to.out << manifest::to_text(problem) << '\n';
    for (auto note : findings.notes) {
      note.message = "note: " + note.message;
      to.out << manifest::to_text(note) << '\n';
    }
    if (findings.problems.empty()) to.out << "ok\n";
    if (command.cost && findings.problems.empty()) print_costs(findings.costs, setup->loaded.config.budget.cost_per_day, to);
  }
  return findings.problems.empty() ? cli::kDone : cli::kUsage;
}

}  // namespace

// Plugins are made in a child: one that takes its process down is named, instead of taking the check down with it.
int perform(const cli::Check& command, const cli::Output& to) {
  const auto setup = read_setup(command.surroundings);
  if (!setup) return to.err << "agentd: " << setup.error().message << '\n', cli::kUsage;
  const auto end = run_apart([&] { return check_here(command, *setup, to); }, to);
  if (end.interrupted) return cli::kFailed;
  if (end.signal == 0) return end.exit_code;
  const auto found = fatal_plugins(*setup, end.signal);
  if (command.json) to.out << Json({{"problems", to_json(found)}, {"notes", Json::array()}}).dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
  else
    for (const auto& problem : found) to.out << manifest::to_text(problem) << '\n';
  return cli::kUsage;
}

}  // namespace agentd::host
