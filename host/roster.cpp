#include "host/roster.hpp"

#include <algorithm>

#include "host/together.hpp"

namespace agentd::host {

namespace {

std::vector<manifest::ChainLink> all_of(const std::map<std::string, std::vector<manifest::ChainLink>>& links) {
  std::vector<manifest::ChainLink> all;
  for (const auto& [agent_id, own] : links) all.insert(all.end(), own.begin(), own.end());
  return all;
}

bool is_on_files(const manifest::Trigger& trigger) { return std::holds_alternative<manifest::FileTrigger>(trigger.on); }

}  // namespace

Async<manifest::LoadedAgents> read_agents(std::vector<std::string> folders, const manifest::HostConfig& config, const Ports& ports, std::string working_folder) {
  Judge judge(ports);
  auto loaded = manifest::load_agents(folders, config, judge.checks(), working_folder);
  if (!judge.has_questions()) co_return loaded;
  co_await judge.settle();
  co_return manifest::load_agents(folders, config, judge.checks(), working_folder);
}

Async<std::vector<manifest::LoadedAgent>> read_some_agents(const manifest::FoundAgents& found, PlaceInFolders& at, const manifest::HostConfig& config, Judge& judge) {
  constexpr std::size_t kMost = 1024;
  while (at.folder < found.folders.size() && at.first >= found.folders[at.folder].stems.size()) at = {at.folder + 1, 0};
  if (at.folder == found.folders.size()) co_return std::vector<manifest::LoadedAgent>();
  const auto from = std::exchange(at, {at.folder, at.first + kMost});
  auto agents = manifest::load_agents(found, from.folder, from.first, kMost, config, judge.checks());
  if (!judge.has_questions()) co_return agents;
  co_await judge.settle();
  co_return manifest::load_agents(found, from.folder, from.first, kMost, config, judge.checks());
}

Async<std::vector<manifest::LoadedAgent>> read_some_sent(const SentAgents& sent, std::string after, const manifest::FoundAgents& found, const manifest::HostConfig& config, Judge& judge) {
  constexpr std::size_t kMost = 256;
  const auto read = [&] {
    std::vector<manifest::LoadedAgent> agents;
    for (auto at = sent.all().upper_bound(after); at != sent.all().end() && agents.size() < kMost; ++at) {
      if (at->second.is_leaving) continue;
      agents.push_back(manifest::read_sent(manifest::parse_sent(at->second.document, manifest::SentAs::json), at->first, config, judge.checks()));
      manifest::refuse_unknown_agents(found, agents.back());
    }
    return agents;
  };
  auto agents = read();
  if (!judge.has_questions()) co_return agents;
  co_await judge.settle();
  co_return read();
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

std::string removed_cursor(const std::string& agent_id) { return "removed:" + agent_id; }

// Where it was taken: one that was refused follows whom it followed before.
void Roster::know_followed(const manifest::LoadedAgent& loaded) {
  const auto member = find(loaded.agent_id);
  if (!loaded.spec || !member || member->manifest != manifest::canonical(*loaded.spec)) return;
  follow_nobody(loaded.agent_id);
  for (const auto& link : loaded.links) add(link);
  if (loaded.links.empty()) links_.erase(loaded.agent_id);
  else links_[loaded.agent_id] = loaded.links;
}

void Roster::refuse_cycles() {
  for (auto& [agent_id, problem] : manifest::cycles(all_of(links_))) {
    links_.erase(agent_id);
    const auto known = std::ranges::find(refused_, agent_id, &RefusedAgent::agent_id);
    if (known != refused_.end()) {
      known->problems.push_back(std::move(problem));
      continue;
    }
    remove(agent_id);
    auto file = problem.file;
    refused_.push_back({agent_id, std::move(file), {std::move(problem)}});
  }
}

Async<Result<void>> Roster::go_back(std::string file, port::SpecRevision kept) {
  Judge judge(ports_);
  auto loaded = manifest::read_canonical(kept.content, file, config_, judge.checks());
  if (judge.has_questions()) {
    co_await judge.settle();
    loaded = manifest::read_canonical(kept.content, file, config_, judge.checks());
  }
  if (!loaded.spec) co_return fail(loaded.problems.front().message);
  if (const auto cycle = cycle_with(loaded)) co_return fail(cycle->message);
  auto making = make_member(loaded);
  auto member = co_await std::move(making);
  if (!member) co_return std::unexpected(member.error());
  member->revision = kept.revision;
  add(std::move(*member));
  for (const auto& link : loaded.links) add(link);
  if (!loaded.links.empty()) links_[loaded.agent_id] = std::move(loaded.links);
  co_return Result<void>();
}

Async<std::vector<Roster::WentBack>> Roster::go_back_for_refused(std::vector<std::string> sent) {
  std::vector<WentBack> all;
  std::vector<std::pair<std::string, std::string>> broken;  // ids and files
  for (const auto& refused : refused_)
    if (!find(refused.agent_id) && std::ranges::find(sent, refused.agent_id) == sent.end()) broken.emplace_back(refused.agent_id, refused.file);
  for (const auto& [id, file] : broken) {
    const auto kept = co_await ledger_.spec(id, 0);
    if (!kept || !*kept || find(id) || no_way_back_.contains(id)) continue;
    std::vector<std::string> names = {removed_cursor(id)};
    const auto removed = co_await ledger_.cursors(std::move(names));
    if (!removed || removed->front() >= (*kept)->revision) continue;
    const auto revision = std::to_string((*kept)->revision);
    auto going = go_back(file, **kept);
    const auto went = co_await std::move(going);
    if (!went) no_way_back_[id] = "its last good revision, " + revision + ", cannot run either: " + went.error().message;
    all.push_back({id, "agent " + manifest::quote(id) + (went ? " runs as it was, by its last good revision, " + revision + ", until " + file + " is mended" : ": " + no_way_back_[id])});
  }
  tell_of_no_way_back();
  co_return all;
}

// Beside what is wrong with the file, and at its place.
void Roster::tell_of_no_way_back() {
  std::erase_if(no_way_back_, [this](const auto& one) { return std::ranges::find(refused_, one.first, &RefusedAgent::agent_id) == refused_.end(); });
  for (auto& refused : refused_) {
    const auto found = no_way_back_.find(refused.agent_id);
    if (found == no_way_back_.end() || find(refused.agent_id)) continue;
    auto problem = refused.problems.front();
    problem.message = found->second;
    refused.problems.push_back(std::move(problem));
  }
}

Async<void> Roster::mark_removed(std::vector<MemberRef> removed, std::vector<MemberRef> created) {
  std::vector<port::Cursor> marks;
  for (const auto& member : removed) marks.push_back({removed_cursor(member->agent_id), member->revision});
  std::vector<std::string> names;
  for (const auto& member : created) names.push_back(removed_cursor(member->agent_id));
  const auto before = co_await ledger_.cursors(names);
  for (std::size_t i = 0; before && i < names.size(); ++i)
    if ((*before)[i] > 0) marks.push_back({names[i], 0});
  if (!marks.empty()) (void)co_await ledger_.put_cursors(std::move(marks));  // without it the ledger's own error is in the log
}

Async<void> Roster::stand_in_for_refused() {
  std::set<std::string> ids;
  for (const auto& refused : refused_)
    if (!find(refused.agent_id)) ids.insert(refused.agent_id);
  for (const auto& id : ids) {
    const auto kept = co_await ledger_.spec(id, 0);
    const auto spec = kept && *kept ? manifest::parse_canonical((*kept)->content) : fail("");
    if (!spec || !spec->enabled || modes_.mode(id) != Mode::active) continue;
    stand_in({.agent_id = id, .revision = (*kept)->revision, .overlap = spec->schedule.overlap, .queue_size = static_cast<std::uint32_t>(spec->limits.queue_size),
              .max_concurrent = static_cast<std::uint32_t>(spec->limits.max_concurrent)});
    for (const auto& trigger : spec->triggers)
      if (const auto* on = std::get_if<manifest::AgentTrigger>(&trigger.on)) add(manifest::ChainLink{id, trigger.name, on->outcome, on->agent, {}});
  }
}

void Roster::refuse(const std::string& agent_id, const std::string& file, std::string why) { refused_.push_back({agent_id, file, {{file, 0, 0, std::move(why)}}}); }

Async<void> Roster::take(std::vector<manifest::LoadedAgent> agents) {
  for (auto& loaded : agents)
    if (loaded.spec) clean(ports_.cleaner(), *loaded.spec);
  std::vector<Member> fit;
  std::vector<Async<void>> considering;
  for (const auto& loaded : agents) {
    if (loaded.spec) considering.push_back(consider(loaded, fit));
    else refused_.push_back({loaded.agent_id, loaded.file, loaded.problems});
  }
  co_await together(std::move(considering));
  co_await keep(std::move(fit));
  for (const auto& loaded : agents) know_followed(loaded);
}

bool Roster::may_pass() const {
  return std::ranges::any_of(refused_, [](const RefusedAgent& refused) { return std::ranges::any_of(refused.problems, [](const manifest::Problem& problem) { return problem.line == 0; }); });
}

void Roster::begin_again() { again_ = {}; }

void Roster::look_again(std::vector<manifest::LoadedAgent> agents) {
  for (auto& loaded : agents) {
    const auto member = find(loaded.agent_id);
    again_.seen.insert(loaded.agent_id);
    if (!loaded.spec) {
      again_.refused.push_back({loaded.agent_id, loaded.file, std::move(loaded.problems)});
      continue;
    }
    clean(ports_.cleaner(), *loaded.spec);
    if (!loaded.links.empty()) again_.links[loaded.agent_id] = loaded.links;
    const auto text = manifest::canonical(*loaded.spec);
    const auto superseded = superseded_.find(loaded.agent_id);
    const bool is_as_before = member && (member->manifest == text || (superseded != superseded_.end() && superseded->second == text));
    const bool is_same = is_as_before && member->file == loaded.file && !moved_on_.contains(loaded.agent_id);
    if (!is_same) again_.changed.push_back(std::move(loaded));
  }
}

// Of the agents that have changed, those whose chains would never end now stay as they were. False: there is none.
bool Roster::refuse_a_cycle(Again& again, const Links& before) {
  bool any = false;
  for (auto& [agent_id, problem] : manifest::cycles(all_of(again.links))) {
    const auto changed = std::ranges::find(again.changed, agent_id, &manifest::LoadedAgent::agent_id);
    if (changed == again.changed.end()) continue;
    auto file = changed->file;
    again.changed.erase(changed);
    again.refused.push_back({agent_id, std::move(file), {std::move(problem)}});
    again.links.erase(agent_id);
    if (const auto old = before.find(agent_id); old != before.end()) again.links.insert(*old);
    any = true;
  }
  return any;
}

Async<Changes> Roster::end_again() {
  auto again = std::exchange(again_, {});
  for (const auto& refused : again.refused)  // what is broken follows whom it followed
    if (const auto old = links_.find(refused.agent_id); old != links_.end()) again.links.insert(*old);
  while (refuse_a_cycle(again, links_)) {
  }
  Changes changes;
  for (const auto& [agent_id, member] : members()) {
    if (again.seen.contains(agent_id)) continue;
    if (is_shared_ && member->file != manifest::kSentFile) {
      if (missing_.insert(agent_id).second) news_.push_back("agent " + manifest::quote(agent_id) + " stays, though there is no more " + member->file + " here: other replicas have it; enabled = false stops it everywhere");
      if (const auto old = links_.find(agent_id); old != links_.end()) again.links.insert(*old);
      continue;
    }
    changes.removed.push_back(member);
  }
  std::erase_if(missing_, [&](const std::string& agent_id) { return again.seen.contains(agent_id); });
  for (const auto& gone : changes.removed) {
    remove(gone->agent_id);
    links_.erase(gone->agent_id);
  }
  refused_ = std::move(again.refused);
  tell_of_no_way_back();
  std::set<std::string> still_refused;
  for (const auto& refused : refused_) still_refused.insert(refused.agent_id);
  drop_stand_ins(still_refused);
  std::map<std::string, MemberRef> before;
  for (const auto& loaded : again.changed) before[loaded.agent_id] = find(loaded.agent_id);
  constexpr std::size_t kAtOnce = 64;  // what the ledger is asked for between them lets others have their turn
  for (std::size_t first = 0; first < again.changed.size(); first += kAtOnce) {
    const auto part = std::span(again.changed).subspan(first, std::min(kAtOnce, again.changed.size() - first));
    std::vector<manifest::LoadedAgent> some(std::make_move_iterator(part.begin()), std::make_move_iterator(part.end()));
    auto taking = take(std::move(some));
    co_await std::move(taking);
  }
  for (const auto& [agent_id, old] : before) {
    const auto now = find(agent_id);
    if (now && now != old) (old ? changes.updated : changes.created).push_back(now);
  }
  auto marking = mark_removed(changes.removed, changes.created);
  co_await std::move(marking);
  co_return changes;
}

void Roster::take_mode(const std::string& agent_id) {
  const auto member = find(agent_id);
  if (!member || member->mode == modes_.mode(agent_id)) return;
  auto changed = *member;
  changed.mode = modes_.mode(agent_id);
  add(std::move(changed));
}

std::optional<manifest::Problem> Roster::cycle_with(const manifest::LoadedAgent& loaded) const {
  auto links = links_;
  if (loaded.links.empty()) return std::nullopt;
  links[loaded.agent_id] = loaded.links;
  for (auto& [agent_id, problem] : manifest::cycles(all_of(links)))
    if (agent_id == loaded.agent_id) return std::move(problem);
  return std::nullopt;
}

MemberRef Roster::adopt(Member member, std::vector<manifest::ChainLink> links) {
  const auto id = member.agent_id;
  std::erase_if(refused_, [&](const RefusedAgent& refused) { return refused.agent_id == id && refused.file == member.file; });
  add(std::move(member));
  follow_nobody(id);
  for (const auto& link : links) add(link);
  if (links.empty()) links_.erase(id);
  else links_[id] = std::move(links);
  return find(id);
}

void Roster::drop(const std::string& agent_id) {
  std::erase_if(refused_, [&](const RefusedAgent& refused) { return refused.agent_id == agent_id && refused.file == manifest::kSentFile; });
  remove(agent_id);
  links_.erase(agent_id);
  std::set<std::string> still_refused;
  for (const auto& refused : refused_) still_refused.insert(refused.agent_id);
  drop_stand_ins(still_refused);
}

// An agent that could not run is found out now rather than by its first run.
Async<void> Roster::consider(const manifest::LoadedAgent& loaded, std::vector<Member>& fit) {
  auto making = make_member(loaded);
  auto made = co_await std::move(making);
  if (made) fit.push_back(std::move(*made));
  else refuse(loaded.agent_id, loaded.file, made.error().message);
}

Async<Result<Member>> Roster::make_member(const manifest::LoadedAgent& loaded) {
  const auto& spec = *loaded.spec;
  auto schedule = schedule::make_schedule(spec.schedule);
  if (!schedule) co_return std::unexpected(schedule.error());
  auto preparing = prepare(spec);
  const auto ready = co_await std::move(preparing);
  if (!ready) co_return std::unexpected(ready.error());
  Means means{spec.model.provider, spec.model.model, {}};
  for (const auto& tool : (*ready)->tools.tools())
    if (tool.allowed()) means.tools.push_back(tool.name);
  Member member{.agent_id = loaded.agent_id, .file = loaded.file, .manifest = manifest::canonical(spec), .enabled = spec.enabled, .mode = modes_.mode(loaded.agent_id), .run_on_start = spec.schedule.run_on_start, .gated = spec.gate.has_value(), .watches_files = std::ranges::any_of(spec.triggers, is_on_files), .delivers = !spec.deliver.empty(), .alerts = spec.alerts != manifest::Alerts(), .change = {}, .overlap = spec.schedule.overlap,
                .queue_size = static_cast<std::uint32_t>(spec.limits.queue_size), .max_concurrent = static_cast<std::uint32_t>(spec.limits.max_concurrent), .pause_after_failures = spec.retry.pause_after_failures,
                .day_limit = spec.task.is_native() ? port::Spend{} : port::Spend{spec.limits.tokens_per_day, spec.limits.cost_per_day},
                .policy = schedule::make_policy(spec.schedule, spec.limits.queue_size), .schedule = std::move(*schedule), .means = &*means_.insert(std::move(means)).first};
  member.manifest.shrink_to_fit();
  co_return member;
}

// An edit that is made here, where the current revision is in force, is newer than that one. What is found at the start may be of any
// age, and so is what was here when another process came with another one.
bool Roster::is_newest(const Member& member) const {
  if (!is_shared_) return true;
  const auto superseded = superseded_.find(member.agent_id);
  const bool is_old = superseded != superseded_.end() && superseded->second == member.manifest;
  return find(member.agent_id) && !moved_on_.contains(member.agent_id) && !is_old;
}

// Of an agent whose manifest here is older than what others have: the current revision, as the ledger has it.
Async<void> Roster::go_on_with(Member member, port::KeptSpec current) {
  const auto id = member.agent_id, file = member.file;
  const auto before = superseded_.find(id);
  const bool is_known = before != superseded_.end() && before->second == member.manifest;
  superseded_[id] = std::move(member.manifest);
  if (!is_known) news_.push_back("agent " + manifest::quote(id) + ": what " + file + " says has been superseded; revision " + std::to_string(current.revision) + " is in force, which another replica has");
  follow_nobody(id);
  links_.erase(id);
  auto going = go_back(file, {current.revision, std::move(current.before)});
  const auto went = co_await std::move(going);
  if (!went) refuse(id, file, "revision " + std::to_string(current.revision) + ", which another replica has, cannot run here: " + went.error().message);
}

// The revisions that runs are pinned to, and whether they differ from what the ledger had.
Async<void> Roster::keep(std::vector<Member> members) {
  using Change = port::KeptSpec::Change;
  using What = event::AgentChanged::What;
  std::vector<port::AgentSpecText> specs;
  specs.reserve(members.size());
  for (const auto& member : members) specs.push_back({member.agent_id, member.manifest, is_newest(member)});
  const auto kept = co_await ledger_.put_specs(std::move(specs));
  for (std::size_t i = 0; i < members.size(); ++i) {
    auto& member = members[i];
    if (!kept) {
      refuse(member.agent_id, member.file, kept.error().message);
      continue;
    }
    const auto& spec = (*kept)[i];
    moved_on_.erase(member.agent_id);
    if (spec.change == Change::superseded) {
      auto going = go_on_with(std::move(member), spec);
      co_await std::move(going);
      continue;
    }
    superseded_.erase(member.agent_id);
    member.revision = spec.revision;
    if (spec.change != Change::none) member.change = spec.change == Change::created ? What::created : What::updated;
    add(std::move(member));
  }
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
    } else if (toolset->get() == ports_.memory_tools()) {
      source.scope = ports_.memory_tools()->scope_of({store_of(spec, "long_term"), store_of(spec, "procedural")});
    }
    sources.push_back(std::move(source));
  }
  co_return tool::Catalog::build(std::move(sources), spec.tools);
}

const std::string& Roster::store_of(const manifest::AgentSpec& spec, const char* type) const {
  return manifest::store_of(spec.memory, type, config_.memory.store);
}

Result<memory::Stores> Roster::stores_for(const manifest::AgentSpec& spec) const {
  auto episodic = ports_.memory(store_of(spec, "episodic")), long_term = ports_.memory(store_of(spec, "long_term")), procedural = ports_.memory(store_of(spec, "procedural"));
  for (const auto* store : {&episodic, &long_term, &procedural})
    if (!*store) return std::unexpected(store->error());
  return memory::Stores{*episodic, *long_term, *procedural, ports_.embedder()};
}

Async<Result<run::AgentRef>> Roster::prepare(manifest::AgentSpec spec) {
  run::Parts parts{.spec = spec, .endpoint = nullptr, .task = nullptr, .gate = nullptr, .tools = {}, .memory = {}, .host_cost_per_day = config_.budget.cost_per_day};
  if (spec.gate) {
    const auto gate = ports_.task(spec.gate->native);
    if (!gate) co_return std::unexpected(gate.error());
    parts.gate = *gate;
  }
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

Async<Result<std::string>> Roster::text_of(std::string agent_id, std::int64_t revision) {
  if (const auto member = find(agent_id); member && member->revision == revision) co_return member->manifest;
  auto kept = co_await ledger_.spec(agent_id, revision);
  if (!kept) co_return fail(ErrorClass::retryable, kept.error().message);
  if (!*kept) co_return fail("the ledger has no revision " + std::to_string(revision) + " of agent \"" + agent_id + "\"");
  co_return std::move((*kept)->content);
}

Async<Result<manifest::AgentSpec>> Roster::spec_of(std::string agent_id, std::int64_t revision) {
  auto reading = text_of(std::move(agent_id), revision);
  const auto text = co_await std::move(reading);
  if (!text) co_return std::unexpected(text.error());
  co_return manifest::parse_canonical(*text);
}

// Prepared for one run, and not kept.
Async<Result<run::AgentRef>> Roster::agent_with(std::string agent_id, std::int64_t revision, Change change) {
  auto reading = spec_of(std::move(agent_id), revision);
  auto spec = co_await std::move(reading);
  if (!spec) co_return std::unexpected(spec.error());
  change(*spec);
  auto preparing = prepare(std::move(*spec));
  co_return co_await std::move(preparing);
}

Async<Result<run::AgentRef>> Roster::agent(std::string agent_id, std::int64_t revision) {
  const Prepared::Revision wanted(agent_id, revision);
  if (auto known = prepared_.find(wanted)) co_return known;
  auto reading = spec_of(agent_id, revision);
  auto spec = co_await std::move(reading);
  if (!spec) co_return std::unexpected(spec.error());
  auto preparing = prepare(std::move(*spec));
  auto ready = co_await std::move(preparing);
  if (ready) prepared_.keep(wanted, *ready);
  co_return ready;
}

}  // namespace agentd::host
