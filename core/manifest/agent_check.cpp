#include "core/manifest/agent_check.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

#include "core/manifest/borrowed.hpp"
#include "core/manifest/nearest.hpp"
#include "core/manifest/tool_pattern.hpp"

namespace agentd::manifest {
namespace {


template <class Map>
std::vector<std::string> names_of(const Map& map) {
  std::vector<std::string> names;
  for (const auto& [name, value] : map) names.push_back(name);
  return names;
}

class AgentCheck {
 public:
  AgentCheck(Reader& reader, const AgentSpec& spec, const Tree& tree, const HostConfig& config, const Checks& checks)
      : reader_(reader), spec_(spec), tree_(tree), config_(config), checks_(checks) {}

  void run() {
    work();
    model();
    schedule();
    triggers();
    gate();
    retry();
    memory();
    budgets();
    tools();
    required_tools();
    toolsets();
    deliver();
    alerts();
  }

 private:
  using Path = std::initializer_list<std::string_view>;
  bool written(Path path) const { return find(tree_, std::span(path.begin(), path.size())) != nullptr; }
  Place place(Path path) const { return place_of(tree_, std::span(path.begin(), path.size())); }
  void problem(Path path, std::string message) { reader_.problem(place(path), std::move(message)); }
  void ask(const Check& check, const std::string& value, Path path) {
    if (!check || value.empty()) return;
    if (const auto verdict = check(value); !verdict) problem(path, verdict.error().message);
  }

  void work() {
    const bool query = written({"task", "query"}), native = written({"task", "native"});
    if (!query && !native) problem({"task"}, "nothing to do: [task] needs a \"query\" for a model, or a \"native\" task");
    if (query && native) problem({"task", "native"}, "\"native\" does not go with \"query\": a task is one or the other");
    ask(checks_.native_task, spec_.task.native, {"task", "native"});
    ask(checks_.json_schema, spec_.task.output_schema, {"task", "output_schema"});
    if (!spec_.task.is_native() || query) return;
    for (const auto key : {"output_schema", "require"})
      if (written({"task", key})) problem({"task", key}, quote(key) + " belongs to a task with a query: a native task has no model");
  }

  void model() {
    if (spec_.task.is_native()) return;
    if (written({"task", "query"})) {
      if (!written({"model", "provider"})) problem({"model"}, "no model: [model] needs a \"provider\"");
      if (!written({"model", "model"})) problem({"model"}, "no model: [model] needs a \"model\"");
    }
    const auto& provider = spec_.model.provider;
    const std::string key(usual_key_of(provider));
    entry(config_.providers, provider, {"model", "provider"}, "provider", "providers", checks_.provider,
          key.empty() ? std::string() : "; set " + key + ", or add [providers." + provider + "]");
  }

  // A name that must be an entry of a table in agentd.toml.
  template <class Map>
  void entry(const Map& map, const std::string& name, Path path, const std::string& what, const std::string& table, const Check& check,
             const std::string& remedy = {}) {
    if (name.empty()) return;
    if (map.contains(name)) return ask(check, name, path);
    problem(path, "no " + what + " " + quote(name) + ": agentd.toml has no [" + table + "." + name + "]" + (remedy.empty() ? did_you_mean(name, names_of(map)) : remedy));
  }

  void schedule() {
    const auto& s = spec_.schedule;
    if (const auto* cron = std::get_if<Cron>(&s.when)) ask(checks_.cron, cron->expression, {"schedule", "cron"});
    if (written({"schedule", "timezone"})) ask(checks_.zone, s.timezone, {"schedule", "timezone"});
    if (s.start && s.end && *s.end <= *s.start) problem({"schedule", "end"}, "\"end\" must be after \"start\"");
    if (const auto* interval = std::get_if<Interval>(&s.when); interval && s.jitter >= interval->every && s.jitter > Millis(0))
      problem({"schedule", "jitter"}, "\"jitter\" must be shorter than the interval");
    const bool any = written({"schedule", "interval"}) || written({"schedule", "cron"}) || written({"schedule", "at"});
    if (!any && spec_.triggers.empty() && !s.run_on_start) reader_.note(place({"schedule"}), "no schedule and no trigger: the agent runs only by hand");
  }

  // The value of a key as it was written in one of [[list]], or nullptr.
  const Tree* value_in(std::string_view list_name, std::size_t i, std::string_view key) const {
    const auto* list = tree_.find(list_name);
    const auto* tables = list ? list->value.list() : nullptr;
    const auto* found = tables && i < tables->size() ? (*tables)[i].find(key) : nullptr;
    return found ? &found->value : nullptr;
  }
  const Tree* value_in(std::size_t trigger, std::string_view key) const { return value_in("trigger", trigger, key); }
  Place place_in(std::size_t trigger, std::string_view key) const {
    const auto* value = value_in(trigger, key);
    return value ? value->place : element({"trigger"}, trigger);
  }

  void triggers() {
    for (std::size_t i = 0; i < spec_.triggers.size(); ++i) {
      const auto& trigger = spec_.triggers[i];
      const auto first = std::ranges::find(spec_.triggers, trigger.name, &Trigger::name);
      if (std::cmp_less(first - spec_.triggers.begin(), i)) reader_.problem(place_in(i, "name"), "another trigger is called " + quote(trigger.name));
      std::visit([&](const auto& on) { check(i, on); }, trigger.on);
    }
  }
  void missing(std::size_t trigger, const char* key, const char* on) {
    if (!value_in(trigger, key)) reader_.problem(place_in(trigger, "on"), quote(key) + " is missing: a trigger with on = " + quote(on) + " needs it");
  }
  void check(std::size_t i, const WebhookTrigger& on) {
    if (on.secret.text.empty()) return missing(i, "secret", "webhook");
    if (!checks_.webhook) return;
    if (const auto verdict = checks_.webhook(on); !verdict) reader_.problem(place_in(i, "secret"), "\"secret\": " + verdict.error().message);
  }
  void check(std::size_t i, const FileTrigger& on) {
    if (on.path.empty()) return missing(i, "path", "file");
    if (on.glob.find('/') != std::string::npos) reader_.problem(place_in(i, "glob"), "\"glob\" is for the names of files, without \"/\": folders inside the folder are not watched");
    const auto* path = value_in(i, "path");
    if (path && path->text() && !path->text()->starts_with('/')) reader_.note(place_in(i, "path"), "\"path\" is " + on.path + ", beside the file that names it; an absolute one says so itself");
    if (spec_.schedule.overlap == port::Overlap::skip) reader_.note(place_in(i, "on"), "files that come while a run is alive are skipped; [schedule] overlap = \"queue\" keeps them");
    if (!checks_.folder) return;
    if (const auto verdict = checks_.folder(on.path); !verdict) reader_.note(place_in(i, "path"), verdict.error().message);
  }
  void check(std::size_t i, const AgentTrigger& on) {
    if (on.agent.empty()) return missing(i, "agent", "agent");
    if (spec_.schedule.overlap == port::Overlap::skip) reader_.note(place_in(i, "on"), "what ends while a run is alive starts none; [schedule] overlap = \"queue\" lets it start one later");
  }

  void gate() {
    if (spec_.gate) ask(checks_.native_task, spec_.gate->native, {"gate", "native"});
  }

  void retry() {
    if (spec_.retry.max_delay < spec_.retry.delay) problem({"retry", written({"retry", "delay"}) ? "delay" : "max_delay"}, "\"delay\" must not be longer than \"max_delay\"");
  }

  void memory() {
    entry(config_.stores, spec_.memory.store, {"memory", "store"}, "store", "stores", checks_.store);
    for (const auto& [type, store] : spec_.memory.stores) {
      if (type != "episodic" && type != "long_term" && type != "procedural")
        problem({"memory", "stores", type}, quote(type) + " is no type of memory: \"episodic\", \"long_term\" or \"procedural\"");
      entry(config_.stores, store, {"memory", "stores", type}, "store", "stores", checks_.store);
    }
  }

  // A limit in dollars binds nothing where nobody knows what a call costs.
  void budgets() {
    if (spec_.task.is_native()) return;
    const auto provider = config_.providers.find(spec_.model.provider);
    if (provider == config_.providers.end() || spec_.model.model.empty() || provider->second.prices.contains(spec_.model.model)) return;
    const auto unpriced = "model " + quote(spec_.model.model) + " has no price, so that a limit in dollars cannot hold: agentd.toml needs [providers." + spec_.model.provider + ".prices." +
                          quote(spec_.model.model) + "]";
    const auto& limits = spec_.limits;
    if (limits.cost_limit && *limits.cost_limit > 0) problem({"limits", "cost_limit"}, unpriced);
    if (limits.cost_per_day > 0) problem({"limits", "cost_per_day"}, unpriced);
    if (config_.budget.cost_per_day > 0) problem({"model", "model"}, unpriced + "; the host has budget.cost_per_day");
    else if (!limits.cost_limit && limits.cost_per_day == 0) reader_.note(place({"model", "model"}), unpriced + "; limits in tokens hold");
  }

  void tools() {
    patterns("allow", spec_.tools.allow);
    patterns("ask", spec_.tools.ask);
    patterns("deny", spec_.tools.deny);
  }

  // The place of an element of a list, which is its own when the whole list was read.
  Place element(Path path, std::size_t i) const {
    const auto* found = find(tree_, std::span(path.begin(), path.size()));
    const auto* items = found ? found->value.list() : nullptr;
    return items && i < items->size() ? (*items)[i].place : place(path);
  }

  void patterns(std::string_view list, const std::vector<std::string>& patterns) {
    for (std::size_t i = 0; i < patterns.size(); ++i) {
      const auto at = element({"tools", list}, i);
      if (patterns[i].find('.') == std::string::npos && patterns[i].find('*') == std::string::npos) {
        reader_.problem(at, quote(patterns[i]) + " names no tool: tools are named toolset.tool, all of a toolset's are " + quote(patterns[i] + ".*"));
      } else if (checks_.tool_pattern) {
        const auto verdict = checks_.tool_pattern(patterns[i]);
        if (!verdict) reader_.problem(at, verdict.error().message);
        else if (!verdict->empty()) reader_.note(at, *verdict);
      }
    }
  }

  void required_tools() {
    const auto any = [](const std::vector<std::string>& patterns, const std::string& name) {
      return std::ranges::any_of(patterns, [&](const auto& p) { return matches_tool(p, name); });
    };
    const auto& tools = spec_.tools;
    for (std::size_t i = 0; i < spec_.task.require.size(); ++i) {
      const auto& name = spec_.task.require[i];
      const auto at = element({"task", "require"}, i);
      if (any(tools.deny, name) || !(any(tools.ask, name) || any(tools.allow, name)))
        reader_.problem(at, quote(name) + " is required but the agent may not call it: [tools] does not allow it");
      if (!checks_.tool) continue;
      if (const auto verdict = checks_.tool(name); !verdict) reader_.problem(at, verdict.error().message);
    }
  }

  bool may_call(const std::string& name) const {
    const auto any = [&](const std::vector<std::string>& patterns) { return std::ranges::any_of(patterns, [&](const auto& p) { return matches_tool(p, name); }); };
    return !any(spec_.tools.deny) && (any(spec_.tools.ask) || any(spec_.tools.allow));
  }

  void deliver() {
    for (std::size_t i = 0; i < spec_.deliver.size(); ++i) {
      const auto& told = spec_.deliver[i];
      const auto* written = value_in("deliver", i, "sinks");
      const auto* items = written ? written->list() : nullptr;
      for (std::size_t n = 0; n < told.sinks.size(); ++n) sink(told.sinks[n], items && n < items->size() ? (*items)[n].place : element({"deliver"}, i));
      if (told.when != DeliverWhen::reported) continue;
      const auto* when = value_in("deliver", i, "when");
      const auto at = when ? when->place : element({"deliver"}, i);
      if (spec_.task.is_native()) reader_.problem(at, "when = \"reported\" is for an agent with a model: a native task calls no report.nothing_new");
      else if (!may_call("report.nothing_new")) reader_.problem(at, "when = \"reported\" needs the tool with which the agent says that there is nothing: \"report.nothing_new\" in \"allow\" of [tools]");
    }
  }

  void alerts() {
    for (std::size_t i = 0; i < spec_.alerts.sinks.size(); ++i) sink(spec_.alerts.sinks[i], element({"alerts", "sinks"}, i));
    const bool has_budget = spec_.limits.tokens_per_day > 0 || spec_.limits.cost_per_day > 0;
    if (written({"alerts", "budget_ratio"}) && spec_.alerts.budget_ratio > 0 && !has_budget)
      reader_.note(place({"alerts", "budget_ratio"}), "\"budget_ratio\" is of a budget of a day, and [limits] has none: tokens_per_day or cost_per_day");
  }

  void sink(const std::string& name, const Place& at) {
    if (!config_.sinks.contains(name)) return reader_.problem(at, "no sink " + quote(name) + ": agentd.toml has no [sinks." + name + "]" + did_you_mean(name, names_of(config_.sinks)));
    if (!checks_.sink) return;
    if (const auto verdict = checks_.sink(name); !verdict) reader_.problem(at, verdict.error().message);
  }

  void toolsets() {
    if (!checks_.toolset) return;
    for (const auto& [instance, settings] : spec_.tools.toolsets)
      for (const auto& fault : checks_.toolset(instance, settings)) reader_.problems.push_back(problem_of(fault, tree_, std::array<std::string, 3>{"tools", "toolsets", instance}));
  }

  Reader& reader_;
  const AgentSpec& spec_;
  const Tree& tree_;
  const HostConfig& config_;
  const Checks& checks_;
};

}  // namespace

bool is_agent_id(std::string_view id) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (id.empty() || id.size() > 64 || !letter(id.front())) return false;
  return std::ranges::all_of(id, [&](char c) { return letter(c) || c == '_' || c == '-'; });
}

void check_agent(Reader& reader, const AgentSpec& spec, const Tree& tree, const HostConfig& config, const Checks& checks) {
  AgentCheck(reader, spec, tree, config, checks).run();
}

}  // namespace agentd::manifest
