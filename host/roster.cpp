#include "host/roster.hpp"

#include <algorithm>

#include "host/together.hpp"

namespace agentd::host {

Async<manifest::LoadedAgents> read_agents(std::vector<std::string> folders, const manifest::HostConfig& config, const Ports& ports, std::string working_folder) {
  Judge judge(ports);
  auto loaded = manifest::load_agents(folders, config, judge.checks(), working_folder);
  if (!judge.has_questions()) co_return loaded;
  co_await judge.settle();
  co_return manifest::load_agents(folders, config, judge.checks(), working_folder);
}

Async<manifest::LoadedAgent> read_one_agent(std::string file, const manifest::HostConfig& config, const Ports& ports) {
  const auto text = manifest::read_text_file(file);
  if (!text) co_return manifest::LoadedAgent{.file = file, .agent_id = file, .spec = {}, .problems = {{file, 0, 0, text.error().message}}, .notes = {}};
  Judge judge(ports);
  const auto absolute = std::filesystem::absolute(file).lexically_normal().string();
  auto loaded = manifest::read_agent(*text, absolute, config, judge.checks(), manifest::read_text_file, file);
  if (!judge.has_questions()) co_return loaded;
  co_await judge.settle();
  co_return manifest::read_agent(*text, absolute, config, judge.checks(), manifest::read_text_file, file);
}

const Member* Roster::find(const std::string& agent_id) const {
  const auto found = members_.find(agent_id);
  return found == members_.end() ? nullptr : &found->second;
}

void Roster::refuse(const manifest::LoadedAgent& loaded, std::string why) { refused_.push_back({loaded.agent_id, loaded.file, {{loaded.file, 0, 0, std::move(why)}}}); }

Async<void> Roster::take(std::vector<manifest::LoadedAgent> agents) {
  std::vector<Async<void>> taking;
  for (auto& loaded : agents) {
    if (loaded.spec) taking.push_back(take_one(std::move(loaded)));
    else refused_.push_back({loaded.agent_id, loaded.file, loaded.problems});
    if (taking.size() == kAtOnce) co_await together(std::exchange(taking, {}));
  }
  co_await together(std::move(taking));
}

Async<void> Roster::take_one(manifest::LoadedAgent loaded) {
  auto schedule = schedule::make_schedule(loaded.spec->schedule);
  if (!schedule) co_return refuse(loaded, schedule.error().message);
  auto preparing = prepare(*loaded.spec);
  auto ready = co_await std::move(preparing);
  if (!ready) co_return refuse(loaded, ready.error().message);
  Member member{.spec = *loaded.spec, .file = loaded.file, .ready = std::move(*ready), .schedule = std::move(*schedule), .tools = {}};
  for (const auto& tool : member.ready->tools.tools())
    if (tool.allowed()) member.tools.push_back(tool.name);
  const auto kept = co_await keep(member);
  if (!kept) co_return refuse(loaded, kept.error().message);
  members_.insert_or_assign(loaded.agent_id, std::move(member));
}

// The revision that runs are pinned to, and whether it differs from what the ledger had.
Async<Result<void>> Roster::keep(Member& member) {
  const auto id = member.spec.agent_id;
  auto before = co_await ledger_.spec(id, 0);
  if (!before) co_return fail(before.error().message);
  auto content = manifest::canonical(member.spec);
  if (*before && (*before)->content == content) {
    member.revision = (*before)->revision;
    co_return Result<void>();
  }
  auto put = co_await ledger_.put_spec(id, std::move(content));
  if (!put) co_return fail(put.error().message);
  member.revision = *put;
  member.change = *before ? event::AgentChanged::What::updated : event::AgentChanged::What::created;
  const auto old = *before ? manifest::parse_canonical((*before)->content) : fail("none");
  member.new_schedule = !old || old->schedule != member.spec.schedule;
  co_return Result<void>();
}

Async<Result<tool::Catalog>> Roster::tools_for(const manifest::AgentSpec& spec) {
  std::vector<tool::Source> sources;
  for (const auto& [name, toolset] : ports_.toolsets()) {
    if (!toolset) continue;
    tool::Source source{.name = name, .toolset = toolset->get(), .tools = (*toolset)->tools()};
    if (const auto narrowed = spec.tools.toolsets.find(name); narrowed != spec.tools.toolsets.end()) {
      auto binding = (*toolset)->bind(narrowed->second);
      const auto scope = co_await std::move(binding);
      if (!scope) co_return fail("tools.toolsets." + name + ": " + scope.error().message);
      source.scope = *scope;
    }
    sources.push_back(std::move(source));
  }
  co_return tool::Catalog::build(std::move(sources), spec.tools);
}

Result<memory::Stores> Roster::stores_for(const manifest::AgentSpec& spec) const {
  const auto& usual = spec.memory.store.empty() ? config_.memory.store : spec.memory.store;
  const auto of = [&](const char* type) -> Result<port::MemoryStore*> {
    const auto own = spec.memory.stores.find(type);
    return ports_.memory(own == spec.memory.stores.end() ? usual : own->second);
  };
  auto episodic = of("episodic"), long_term = of("long_term"), procedural = of("procedural");
  for (const auto* store : {&episodic, &long_term, &procedural})
    if (!*store) return std::unexpected(store->error());
  return memory::Stores{*episodic, *long_term, *procedural};
}

Async<Result<run::AgentRef>> Roster::prepare(manifest::AgentSpec spec) {
  run::Parts parts{.spec = spec, .endpoint = nullptr, .task = nullptr, .tools = {}, .memory = {}};
  if (spec.task.is_native()) {
    const auto task = ports_.task(spec.task.native);
    if (!task) co_return std::unexpected(task.error());
    parts.task = *task;
  } else {
    const auto endpoint = ports_.endpoint(spec.model.provider);
    if (!endpoint) co_return std::unexpected(endpoint.error());
    parts.endpoint = *endpoint;
    auto tools = co_await tools_for(spec);
    if (!tools) co_return std::unexpected(tools.error());
    parts.tools = std::move(*tools);
    const auto stores = stores_for(spec);
    if (!stores) co_return std::unexpected(stores.error());
    parts.memory = *stores;
  }
  co_return run::make_agent(std::move(parts));
}

Async<Result<run::AgentRef>> Roster::agent(std::string agent_id, std::int64_t revision) {
  if (const auto* member = find(agent_id); member && member->revision == revision) co_return member->ready;
  if (const auto found = past_.find(Past(agent_id, revision)); found != past_.end()) co_return found->second;
  auto kept = co_await ledger_.spec(agent_id, revision);
  if (!kept) co_return fail(ErrorClass::retryable, kept.error().message);
  if (!*kept) co_return fail("the ledger has no revision " + std::to_string(revision) + " of agent \"" + agent_id + "\"");
  auto spec = manifest::parse_canonical((*kept)->content);
  if (!spec) co_return std::unexpected(spec.error());
  auto preparing = prepare(std::move(*spec));
  auto ready = co_await std::move(preparing);
  if (!ready) co_return ready;
  if (past_.size() >= kPastRevisions) past_.erase(past_.begin());
  past_.insert_or_assign(Past(agent_id, revision), *ready);
  co_return ready;
}

}  // namespace agentd::host
