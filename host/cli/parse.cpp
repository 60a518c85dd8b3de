#include "host/cli/parse.hpp"

#include <CLI/CLI.hpp>
#include <memory>

#include "core/manifest/nearest.hpp"
#include "host/cli/shape.hpp"
#include "host/version.hpp"

namespace agentd::cli {
namespace {


// An empty word is what a script's empty variable becomes.
CLI::Validator is_given() { return {[](std::string& word) { return std::string(word.empty() ? "it is empty" : ""); }, ""}; }

// Collects the one command that the line names. Options are bound to values that live in `kept_` until parsing is over.
class Grammar {
 public:
  Grammar() : app_("Runs LLM agents in the background: on schedule, durably, within their budgets.", "agentd") {
    app_.require_subcommand(1);
    app_.set_version_flag("--version", std::string("agentd ") + kVersion);
    app_.failure_message(CLI::FailureMessage::simple);
    app_.footer(
        "Start with:\n  agentd init demo && cd demo && agentd serve\n  agentd run agents/hello.toml\n\n"
        "Exit codes: 0 done, 1 the thing asked for failed, 2 wrong usage or configuration, 3 host not reachable, 4 refused.");
    add_local();
    add_plugins();
    add_tools();
    add_schedule();
    add_agents();
    add_runs();
    add_ledger();
    add_approvals();
    add_batch();
    add_quarantine();
    add_budgets();
    add_alerts();
    add_events();
    add_memory();
    add_completion();
  }

  CommandShape shape() const { return shape_of(app_); }

  std::variant<Command, Said> parse(int argc, const char* const* argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return explain(error);
    }
    return make_();
  }

 private:
  static CommandShape shape_of(const CLI::App& app) {
    CommandShape shape{.name = app.get_name(), .summary = app.get_description(), .examples = {}, .options = {}, .positionals = {}, .commands = {}};
    const auto footer = app.get_footer();
    const std::string kExamples = "Examples:\n";
    if (footer.starts_with(kExamples)) shape.examples = footer.substr(kExamples.size());
    for (const auto* option : app.get_options()) {
      const auto name = option->get_single_name();
      const bool is_flag = option->get_items_expected_max() == 0;
      OptionShape one{.name = option->get_positional() ? name : "--" + name, .help = option->get_description(), .value = is_flag ? "" : name, .variable = option->get_envname(), .required = option->get_required()};
      (option->get_positional() ? shape.positionals : shape.options).push_back(std::move(one));
    }
    for (const auto* sub : app.get_subcommands([](const CLI::App*) { return true; })) shape.commands.push_back(shape_of(*sub));
    return shape;
  }

  // The innermost command that the line names.
  const CLI::App* named() const {
    const CLI::App* app = &app_;
    while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
    return app;
  }

  static std::vector<std::string> options_of(const CLI::App& app) {
    std::vector<std::string> names;
    for (const auto* option : app.get_options())
      for (const auto& name : option->get_lnames()) names.push_back("--" + name);
    return names;
  }

  static std::vector<std::string> commands_of(const CLI::App& app) {
    std::vector<std::string> names;
    for (const auto* sub : app.get_subcommands([](const CLI::App*) { return true; })) names.push_back(sub->get_name());
    return names;
  }

  static bool is_of_a_command(const CLI::App& app, const std::string& option) {
    const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
    const auto has = [&option](const CLI::App* sub) {
      const auto names = options_of(*sub);
      return std::ranges::find(names, option) != names.end() || is_of_a_command(*sub, option);
    };
    return std::ranges::any_of(commands, has);
  }

  static std::string full_name(const CLI::App& app) { return (app.get_parent() ? full_name(*app.get_parent()) + " " : "") + app.get_name(); }

  // A word that the command does not know; "" when it knows all of them.
  static std::string unknown_word(const CLI::App& app) {
    const auto left = app.remaining();
    if (left.empty()) return "";
    const auto word = left.front().substr(0, left.front().find('='));
    const auto command = full_name(app);
    const bool is_option = word.starts_with('-'), is_command = !is_option && !commands_of(app).empty();
    if (is_option && is_of_a_command(app, word)) return command + ": " + word + " is an option of its commands, and comes after one: " + command + " status " + word + "\n";
    const auto suggestion = manifest::did_you_mean(word, is_option ? options_of(app) : commands_of(app));
    return command + ": " + (is_option ? "unknown option \"" : is_command ? "unknown command \"" : "one word too many: \"") + word + "\"" +
           (suggestion.empty() ? "; see " + command + " --help" : suggestion) + "\n";
  }

  Said explain(const CLI::ParseError& error) {
    const auto code_of = static_cast<CLI::ExitCodes>(error.get_exit_code());
    if (code_of == CLI::ExitCodes::ExtrasError || code_of == CLI::ExitCodes::RequiredError)
      for (const CLI::App* app = named(); app; app = app->get_parent())
        if (auto text = unknown_word(*app); !text.empty()) return {kUsage, std::move(text)};
    std::ostringstream out, err;
    const int code = app_.exit(error, out, err);
    if (code == 0) return {kDone, out.str()};
    return {kUsage, err.str().empty() ? std::string(error.what()) + "\n" : err.str()};
  }

  CLI::App* command(CLI::App& parent, const std::string& name, const std::string& summary, const std::string& examples) {
    auto* sub = parent.add_subcommand(name, summary);
    sub->footer(examples.empty() ? std::string() : "Examples:\n" + examples);  // its parent's otherwise
    return sub;
  }

  CLI::App* group(const std::string& name, const std::string& summary) {
    auto* sub = app_.add_subcommand(name, summary);
    sub->footer("");
    sub->require_subcommand(1);
    return sub;
  }

  // The value that a subcommand's options write to; it becomes the command when that subcommand was named.
  template <class T>
  T& target(CLI::App* sub) {
    auto value = std::make_shared<T>();  // shared: kept by the callback of a parser that wants copyable callbacks
    sub->callback([this, value] { make_ = [value]() -> Command { return *value; }; });
    return *value;
  }

  void connect(CLI::App* sub, Connection& connection) {
    sub->add_option("--url", connection.url, "Where the host listens")->envname("AGENTD_URL")->capture_default_str();
    sub->add_option("--token", connection.token, "Bearer token; better in AGENTD_API_TOKEN, where no list of processes shows it")->envname("AGENTD_API_TOKEN");
    sub->add_option("--cacert", connection.ca_file, "PEM file of who signed the host's certificate")->envname("AGENTD_CACERT")->check(CLI::ExistingFile);
    sub->add_flag("--json", connection.json, "One JSON document, or one per line where a list streams");
  }

  static void duration(CLI::App* sub, const std::string& name, std::optional<Millis>& value, const std::string& help) {
    const auto read = [name, &value](const std::string& text) {
      const auto parsed = parse_duration(text);
      if (!parsed) throw CLI::ValidationError(name, parsed.error().message);
      value = *parsed;
    };
    sub->add_option_function<std::string>(name, read, help);
  }

  void surround(CLI::App* sub, Surroundings& s) {
    sub->add_option("--config", s.config, "Configuration file")->envname("AGENTD_CONFIG");
    sub->add_option("--agents", s.agents, "Folder of manifests (repeatable); replaces the configuration's")->allow_extra_args(false);
    sub->add_option("--plugins", s.plugins, "Folder of plugins (repeatable); searched first")->allow_extra_args(false);
    sub->add_option("--state", s.state, "State folder");
    sub->add_option("--env-file", s.env_file, "A .env file to read first")->check(CLI::ExistingFile);
  }

  void add_local() {
    auto* init = command(app_, "init", "Write a configuration and an agent that runs as it is", "  agentd init demo");
    init->add_option("folder", target<Init>(init).folder, "Where to")->capture_default_str();

    auto* run = command(app_, "run", "Run one manifest once, without a server, and print its answer",
                        "  agentd run agents/hello.toml\n  agentd run agents/hello.toml --query 'and the disks?' --dry-run");
    auto& r = target<RunFile>(run);
    run->add_option("manifest", r.manifest, "An agent's manifest")->required()->check(CLI::ExistingFile);
    run->add_option("--query", r.query, "Instead of the manifest's");
    run->add_flag("--dry-run", r.dry_run, "Pure tools run; others are told \"dry run\"");
    run->add_flag("--json", r.json, "The whole run as one JSON document");
    surround(run, r.surroundings);

    auto* serve = command(app_, "serve", "Run every agent on its schedule until stopped",
                          "  agentd serve\n  agentd serve --agents ./agents --state ./other-state --listen 127.0.0.1:9000 --for 20s");
    auto& s = target<Serve>(serve);
    serve->add_option("--listen", s.listen, "Address and port of the API");
    duration(serve, "--for", s.run_for, "Drain and stop after so long: 20s, 5m");
    surround(serve, s.surroundings);

    auto* check = command(app_, "check", "List every problem of configuration, agents and plugins; exit 0 or 2", "  agentd check --agents ./agents");
    auto& c = target<Check>(check);
    check->add_flag("--json", c.json, "One JSON document");
    surround(check, c.surroundings);
    check->add_flag("--cost", c.cost, "Also how many runs, and at most how much, a day");
    check->add_flag("--ledger", c.ledger, "Also every row of the ledger, which a host may be using");

    auto* doctor = command(app_, "doctor", "What is reachable, and what to do about the rest; exit 0, 1 where something failed, 2 where the configuration cannot be read",
                           "  agentd doctor\n  agentd doctor --json");
    auto& d = target<Doctor>(doctor);
    doctor->add_flag("--json", d.json, "One JSON document");
    surround(doctor, d.surroundings);

    auto* schema = group("schema", "JSON Schema of the files people write");
    target<Schema>(command(*schema, "manifest", "Of an agent's manifest", "  agentd schema manifest > manifest.schema.json")).of = Schema::Of::manifest;
    target<Schema>(command(*schema, "config", "Of agentd.toml", "")).of = Schema::Of::config;

    auto* config = group("config", "The configuration in force");
    auto* show = command(*config, "show", "Every value, and where it came from", "  agentd config show --config ./agentd.toml");
    auto& cs = target<ConfigShow>(show);
    show->add_flag("--json", cs.json, "One JSON document");
    surround(show, cs.surroundings);
  }

  void add_plugins() {
    plugins_ = group("plugins", "What can be loaded");
    auto* list = command(*plugins_, "list", "Plugins in search order, broken ones with their reason; and which of them a running host has otherwise loaded", "  agentd plugins list --broken");
    auto& l = target<PluginsList>(list);
    list->add_flag("--broken", l.broken, "Only those that cannot be used");
    surround(list, l.surroundings);
    connect(list, l.connection);
    auto* inspect = command(*plugins_, "inspect", "What a plugin offers; its file is mapped in a process of its own", "  agentd plugins inspect fs\n  agentd plugins inspect \"$(dirname \"$(command -v agentd)\")/../lib/agentd/plugins/fs.so\"");
    auto& i = target<PluginsInspect>(inspect);
    inspect->add_option("file", i.file, "A plugin's shared object, or the name of one that is installed")->required()->check(is_given());
    inspect->add_flag("--json", i.json, "One JSON document");
    auto* test = command(*plugins_, "test", "Hold a plugin file to what its kinds promise, a line for each; exit 0, or 1 where one is not kept",
                         "  agentd plugins test \"$(dirname \"$(command -v agentd)\")/../lib/agentd/plugins/sqlite.so\" --settings \"{\\\"path\\\":\\\"$(mktemp -d)\\\"}\"");
    auto& t = target<PluginsTest>(test);
    test->add_option("file", t.file, "A plugin's shared object")->required()->check(CLI::ExistingFile);
    test->add_option("--settings", t.settings, "Of each component: a JSON object; secrets are references, as in agentd.toml. A store wants a place of its own to keep things in")->capture_default_str();
    test->add_flag("--json", t.json, "One JSON document");
    auto* create = command(*plugins_, "new", "Write a starter that builds as it is, and say what to type next",
                           "  agentd plugins new toolset geometry\n  agentd plugins new provider my_models --dir models");
    auto& n = target<PluginsNew>(create);
    create->add_option("kind", n.kind, "toolset, task, provider, memory or events")->required();
    create->add_option("name", n.name, "Of the plugin: [a-z0-9_]")->required();
    create->add_option("--dir", n.folder, "A folder that is empty or not there yet; default: the name");
    create->add_flag("--json", n.json, "One JSON document");
  }

  void add_tools() {
    auto* tools = group("tools", "What agents may be given to call; no host is needed");
    auto* list = command(*tools, "list", "Every tool of every toolset, its effect and what it does", "  agentd tools list\n  agentd tools list --json");
    auto& l = target<ToolsList>(list);
    list->add_flag("--json", l.json, "One JSON document, with the JSON Schema of each tool's arguments");
    surround(list, l.surroundings);
    auto* call = command(*tools, "call", "Call one tool now, without a model and outside of any agent's policy, and print its result, nothing else",
                         "  agentd tools call system.load\n  agentd tools call fs.stat '{\"path\":\"/var/log\"}' --json\n"
                         "  echo '{\"path\":\"/\"}' | agentd tools call system.disk - --timeout 5s");
    auto& c = target<ToolsCall>(call);
    call->add_option("tool", c.tool, "Its name, as `agentd tools list` shows it")->required()->check(is_given());
    call->add_option("arguments", c.arguments, "A JSON object; \"-\": read it from standard input")->capture_default_str();
    duration(call, "--timeout", c.timeout, "Instead of limits.tool_call_timeout of [defaults], which is 30s");
    call->add_flag("--json", c.json, "One JSON document, of what failed too");
    surround(call, c.surroundings);
  }

  void add_schedule() {
    auto* next = command(*group("schedule", "When agents run"), "next", "The next slots of an agent, a cron expression or an interval",
                         "  agentd schedule next hello --count 3\n"
                         "  agentd schedule next --cron '0 9 * * MON-FRI' --timezone Europe/Berlin --from 2026-10-24T00:00:00Z");
    auto& n = target<ScheduleNext>(next);
    auto* agent = next->add_option("agent", n.agent, "An agent of the configuration");
    auto* cron = next->add_option("--cron", n.cron, "Five fields, or @daily and the like");
    auto* interval = next->add_option("--interval", n.interval, "10m, 1h");
    agent->excludes(cron)->excludes(interval);
    cron->excludes(interval);
    next->add_option("--timezone", n.timezone, "IANA name");
    next->add_option("--from", n.from, "Slots after this instant, RFC 3339; now when left out");
    next->add_option("--count", n.count, "How many")->capture_default_str()->check(CLI::Range(1, 10000));
    next->add_flag("--json", n.json, "An array of {\"scheduled_at\"}");
    surround(next, n.surroundings);
  }

  void add_agents() {
    auto* status = command(app_, "status", "What a running host is doing", "  agentd status\n  agentd status hello --json");
    auto& s = target<Status>(status);
    status->add_option("agent", s.agent, "One agent; all when left out");
    status->add_flag("--watch", s.watch, "Again every two seconds, until Ctrl-C");
    connect(status, s.connection);

    agents_ = group("agents", "Agents of a running host");
    auto* list = command(*agents_, "list", "All agents", "  agentd agents list");
    connect(list, target<AgentsList>(list).connection);
    auto* show = command(*agents_, "show", "One agent", "  agentd agents show hello");
    auto& a = target<AgentsShow>(show);
    show->add_option("agent", a.agent, "Its id")->required()->check(is_given());
    connect(show, a.connection);
    struct Verb {
      const char *name, *says, *example;
    };
    for (const auto& verb : {Verb{"pause", "No slots and no triggers from now on; a run that is asked for still runs", "  agentd agents pause hello --reason 'the disk is being moved'"},
                             Verb{"resume", "Slots and triggers again; slots meanwhile are skipped, files that came meanwhile are not", "  agentd agents resume hello"},
                             Verb{"stop", "Nothing runs from now on, and what runs is cancelled", "  agentd agents stop hello"},
                             Verb{"start", "End a stop or a pause", "  agentd agents start hello"}}) {
      auto* sub = command(*agents_, verb.name, verb.says, verb.example);
      auto& m = target<AgentsMode>(sub);
      m.verb = verb.name;
      sub->add_option("agent", m.agent, "Its id")->required()->check(is_given());
      sub->add_option("--reason", m.reason, "Kept and shown");
      sub->add_option("--by", m.by, "Who says so")->envname("USER");
      connect(sub, m.connection);
    }
    add_enrolment();
    auto* run = command(*agents_, "run", "Ask for a run now",
                        "  agentd agents run hello --wait\n  agentd agents run hello --params '{\"thresholds\":{\"disk_usage\":80}}' --key disks-2026-03-01");
    auto& r = target<AgentsRun>(run);
    run->add_option("agent", r.agent, "Its id")->required()->check(is_given());
    run->add_option("--query", r.query, "Instead of the manifest's");
    run->add_option("--params", r.params, "A JSON object");
    run->add_option("--key", r.key, "A second run with the same key is not started");
    run->add_option("--session", r.session, "The session it belongs to");
    run->add_flag("--wait", r.wait, "Wait for the end and print the final answer, nothing else");
    connect(run, r.connection);
  }

  void add_enrolment() {
    auto* create = command(*agents_, "create", "Give the host an agent, which it keeps without a file; paths in its manifest are absolute. Prints its id",
                           "  agentd agents create agents/hello.toml --id nightly");
    auto& c = target<AgentsCreate>(create);
    create->add_option("file", c.file, "A manifest")->required()->check(CLI::ExistingFile);
    create->add_option("--id", c.agent, "Its id; default: the manifest's, or else the file's stem");
    connect(create, c.connection);
    auto* update = command(*agents_, "update", "Change keys of an agent's manifest; new runs go by it, running ones keep theirs",
                           "  agentd agents update nightly limits.max_steps=3 labels.team=ops 'description=Says hello at night'\n  agentd agents update nightly labels.team=");
    auto& u = target<AgentsUpdate>(update);
    update->add_option("agent", u.agent, "Its id")->required()->check(is_given());
    update->add_option("changes", u.changes, "KEY=VALUE, both as in TOML; what is no TOML value is text, and KEY= removes the key")->required();
    connect(update, u.connection);
    auto* gone = command(*agents_, "delete", "Remove an agent; what it has queued or running is cancelled, its past runs stay", "  agentd agents delete nightly");
    auto& d = target<AgentsDelete>(gone);
    gone->add_option("agent", d.agent, "Its id")->required()->check(is_given());
    connect(gone, d.connection);
    auto* apply = command(*agents_, "apply", "Give the host every manifest of a folder: what is new is created, what differs is changed; exit 1 where one is refused", "");
    auto& a = target<AgentsApply>(apply);
    apply->add_option("folder", a.folder, "With a *.toml per agent")->required()->check(CLI::ExistingDirectory);
    connect(apply, a.connection);
  }

  void add_runs() {
    runs_ = group("runs", "Runs of a running host");
    auto* list = command(*runs_, "list", "Newest first", "  agentd runs list --agent hello --status failed");
    auto& l = target<RunsList>(list);
    list->add_option("--agent", l.agent, "Of one agent");
    list->add_option("--status", l.status, "queued, running, waiting, completed, failed, ...");
    list->add_option("--limit", l.limit, "At most so many")->capture_default_str()->check(CLI::Range(1, 1000));
    connect(list, l.connection);
    auto* show = command(*runs_, "show", "One run", "  agentd runs show \"$(agentd agents run hello)\" --steps");
    auto& s = target<RunsShow>(show);
    show->add_option("run", s.run, "Its id")->required()->check(is_given());
    show->add_flag("--steps", s.steps, "With every model and tool call");
    connect(show, s.connection);
    auto* cancel = command(*runs_, "cancel", "End a run that waits or is under way", "");
    auto& c = target<RunsCancel>(cancel);
    cancel->add_option("run", c.run, "Its id")->required()->check(is_given());
    cancel->add_option("--reason", c.reason, "Kept with the run");
    connect(cancel, c.connection);
    auto* retry = command(*runs_, "retry", "Ask again, with a new run of the agent as it is now, for one that failed, timed out, was cancelled, skipped or dropped; prints its id", "");
    auto& r = target<RunsRetry>(retry);
    retry->add_option("run", r.run, "Its id")->required()->check(is_given());
    connect(retry, r.connection);
    auto* replay = command(*runs_, "replay",
                           "Do a run again beside its record, with tools answered from the record, and show where it first differs; nothing is remembered, delivered or "
                           "started by it. Exits 0 without a difference, 1 with one", "");
    auto& p = target<RunsReplay>(replay);
    replay->add_option("run", p.run, "Its id")->required();
    replay->add_option("--model", p.model, "MODEL of the run's provider, or PROVIDER/MODEL; default: the run's");
    replay->add_option("--from-step", p.from_step, "The first step to ask for again; what was said before is taken from the record")->check(CLI::PositiveNumber);
    replay->add_flag("--live", p.live, "Call the tools, under the agent's policy; what they do is done");
    connect(replay, p.connection);
    auto* forget = command(*runs_, "forget", "Remove a run that has ended and all its records, now", "");
    auto& f = target<RunsForget>(forget);
    forget->add_option("run", f.run, "Its id")->required()->check(is_given());
    connect(forget, f.connection);
  }

  void add_ledger() {
    auto* ledger = group("ledger", "Copies of the ledger");
    auto* backup = command(*ledger, "backup", "Copy the ledger to a file, whether a host is running or not", "  agentd ledger backup ledger-copy.db");
    auto& b = target<LedgerBackup>(backup);
    backup->add_option("file", b.file, "Where to; a file that is there is replaced once the copy is complete")->required();
    surround(backup, b.surroundings);
    connect(backup, b.connection);
    auto* restore = command(*ledger, "restore", "Put a backup in the ledger's place; no host may be running", "");
    auto& r = target<LedgerRestore>(restore);
    restore->add_option("file", r.file, "What `agentd ledger backup` made")->required();
    restore->add_flag("--json", r.json, "One JSON document");
    surround(restore, r.surroundings);
  }

  void add_approvals() {
    auto* approvals = group("approvals", "Calls that wait for a person");
    auto* list = command(*approvals, "list", "The oldest run's first", "  agentd approvals list --agent hello");
    auto& l = target<ApprovalsList>(list);
    list->add_option("--agent", l.agent, "Of one agent");
    connect(list, l.connection);
    auto* show = command(*approvals, "show", "What was asked about a call: its arguments in full, and what a word about it does", "");
    auto& s = target<ApprovalsShow>(show);
    show->add_option("call", s.call, "Its id, as `agentd approvals list` shows it")->required()->check(is_given());
    connect(show, s.connection);
    for (const bool approve : {true, false}) {
      auto* sub = command(*approvals, approve ? "approve" : "deny", approve ? "Let a call be made, or a run of unknown outcome go on" : "Refuse a call, or give up a run of unknown outcome", "");
      auto& d = target<ApprovalsDecide>(sub);
      d.approve = approve;
      sub->add_option("call", d.call, "Its id, as `agentd approvals list` shows it")->required()->check(is_given());
      sub->add_option("--reason", d.reason, "Told to the model, and kept");
      sub->add_option("--by", d.by, "Who decides")->envname("USER");
      sub->add_option("--hash", d.arguments_hash, "Of the arguments that were looked at: refused where the call has others");
      connect(sub, d.connection);
    }
  }

  void add_batch() {
    auto* batch = group("batch", "Many runs of an agent, asked for at once");
    auto* submit = command(*batch, "submit", "Send a file of items, a JSON object a line: {\"key\"?, \"query\"?, \"params\"?}. What was sent before is not sent twice", "");
    auto& s = target<BatchSubmit>(submit);
    submit->add_option("agent", s.agent, "Its id")->required()->check(is_given());
    submit->add_option("file", s.file, "All of its lines are checked before the first is sent")->required()->check(CLI::ExistingFile);
    submit->add_option("--name", s.name, "The batch's; without one the file's content names it");
    submit->add_flag("--wait", s.wait, "Until every item has ended");
    connect(submit, s.connection);
    auto* list = command(*batch, "list", "By agent", "  agentd batch list --agent hello");
    auto& l = target<BatchList>(list);
    list->add_option("--agent", l.agent, "Of one agent");
    connect(list, l.connection);
    auto* show = command(*batch, "show", "Its items and what became of them", "");
    auto& w = target<BatchShow>(show);
    show->add_option("batch", w.batch, "Its id: AGENT.NAME")->required()->check(is_given());
    connect(show, w.connection);
  }

  void add_quarantine() {
    auto* quarantine = group("quarantine", "Runs that were given up until a person has looked at them");
    auto* list = command(*quarantine, "list", "Newest first", "  agentd quarantine list --agent hello");
    auto& l = target<QuarantineList>(list);
    list->add_option("--agent", l.agent, "Of one agent");
    connect(list, l.connection);
    auto* show = command(*quarantine, "show", "One run whole, with every model and tool call", "");
    auto& s = target<RunsShow>(show);
    s.steps = true;
    show->add_option("run", s.run, "Its id")->required()->check(is_given());
    connect(show, s.connection);
    using What = QuarantineReview::What;
    const auto review = [&](const char* name, What what, const char* summary) {
      auto* sub = command(*quarantine, name, summary, "");
      auto& r = target<QuarantineReview>(sub);
      r.what = what;
      sub->add_option("run", r.run, "Its id, as `agentd quarantine list` shows it")->required()->check(is_given());
      if (what == What::edit) {
        sub->add_option("--query", r.query, "What it is asked; \"\": what the manifest asks");
        sub->add_option("--params", r.params, "A JSON object, in place of the one that came with it");
      }
      sub->add_option("--by", r.by, "Who decides")->envname("USER");
      sub->add_option("--reason", r.reason, "Kept with the run");
      connect(sub, r.connection);
    };
    review("edit", What::edit, "Change what a run is asked; it stays in quarantine");
    review("retry", What::retry, "Let the same run begin again, with its crashes, tries and limits counted anew");
    review("drop", What::drop, "Give a run up for good");
  }

  void add_budgets() {
    auto* budgets = group("budgets", "What agents and the host may spend in a day");
    auto* list = command(*budgets, "list", "Every limit of a day and what of it is spent or held", "  agentd budgets list");
    connect(list, target<BudgetsList>(list).connection);
    auto* raise = command(*budgets, "raise", "More for one scope, today; runs that were parked for it go on", "  agentd budgets raise host 5");
    auto& r = target<BudgetsRaise>(raise);
    raise->add_option("scope", r.scope, "agent:ID or host")->required();
    raise->add_option("amount", r.amount, "Dollars (2.50) or tokens (20000tokens)")->required();
    connect(raise, r.connection);
  }

  void add_alerts() {
    auto* alerts = group("alerts", "What is not as it should be");
    auto* list = command(*alerts, "list", "Every alert that is raised now, the oldest first", "  agentd alerts list");
    connect(list, target<AlertsList>(list).connection);
  }

  void add_events() {
    auto* events = command(app_, "events", "What happened, from the ledger",
                           "  agentd events --follow\n  agentd events --agent hello --type background_task_error --since 0000000000000001-0");
    auto& e = target<Events>(events);
    events->add_option("--agent", e.agent, "Of one agent");
    events->add_option("--run", e.run, "Of one run");
    events->add_option("--session", e.session, "Of one session");
    events->add_option("--type", e.types, "Of these types (repeatable)")->allow_extra_args(false);
    events->add_option("--since", e.since, "After this event's id");
    events->add_flag("--follow", e.follow, "Go on as events happen");
    connect(events, e.connection);
  }

  void add_memory() {
    auto* memory = group("memory", "What agents remember");
    const auto filter = [this](CLI::App* sub, MemoryList& m) {
      sub->add_option("agent", m.agent, "Its id")->required()->check(is_given());
      sub->add_option("--type", m.type, "episodic (what was said in a session), long_term or procedural")->check(CLI::IsMember({"episodic", "long_term", "procedural"}));
      sub->add_option("--session", m.session, "Of one session");
      sub->add_option("--limit", m.limit, "At most so many")->capture_default_str()->check(CLI::Range(1, 100'000));
      connect(sub, m.connection);
    };
    auto* list = command(*memory, "list", "Newest first", "  agentd memory list hello");
    filter(list, target<MemoryList>(list));
    auto* search = command(*memory, "search", "What fits some words best", "  agentd memory search hello 'which disk is full'");
    auto& s = target<MemoryList>(search);
    filter(search, s);
    search->add_option("query", s.query, "Words")->required()->check(is_given());
    auto* add = command(*memory, "add", "Something to remember from now on; prints its id", "  agentd memory add hello 'the backup disk is /srv/b' --key backup-disk");
    auto& a = target<MemoryAdd>(add);
    add->add_option("agent", a.agent, "Its id")->required()->check(is_given());
    add->add_option("text", a.text, "What")->required()->check(is_given());
    add->add_option("--type", a.type, "long_term, or procedural: how something is done well")->check(CLI::IsMember({"long_term", "procedural"}));
    add->add_option("--session", a.session, "The session it belongs to");
    add->add_option("--key", a.key, "Said again with the same key, it takes the place of what was said before");
    connect(add, a.connection);
    auto* forget = command(*memory, "forget", "Take one entry out", "");
    auto& f = target<MemoryForget>(forget);
    forget->add_option("agent", f.agent, "Its id")->required()->check(is_given());
    forget->add_option("entry", f.entry, "Its id, as `agentd memory list` shows it")->required()->check(is_given());
    connect(forget, f.connection);
  }

  void add_completion() {
    auto* completion = command(app_, "completion", "A script that completes the command line", "  source <(agentd completion bash)\n  agentd completion zsh > _agentd\n  agentd completion fish > agentd.fish");
    completion->add_option("shell", target<Completion>(completion).shell, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
    auto* manual = command(app_, "manual", "The manual page, as man reads it", "  agentd manual | man -l -");
    target<Manual>(manual);
  }

  CLI::App app_;
  CLI::App* plugins_ = nullptr;
  CLI::App* agents_ = nullptr;
  CLI::App* runs_ = nullptr;
  std::function<Command()> make_;
};

}  // namespace

CommandShape command_shape() { return Grammar().shape(); }

std::variant<Command, Said> parse(int argc, const char* const* argv) { return Grammar().parse(argc, argv); }

}  // namespace agentd::cli
