#include "core/manifest/agent_keys.hpp"

#include "core/base/json_text.hpp"

// The declaration of the manifest. Turning a feature on is taking its not_yet() away.
namespace agentd::manifest {
namespace {

using std::chrono::seconds;

// Text, or the content of the file that "file:PATH" names.
Form<std::string> text_or_file() {
  auto form = text();
  form.read = [plain = form.read](Reader& reader, const Tree& value, std::string_view key) -> std::optional<std::string> {
    auto text = plain(reader, value, key);
    if (!text || reader.canonical || !text->starts_with("file:")) return text;
    const auto path = reader.path(value.place, key, text->substr(5));
    if (!path.starts_with('/')) return std::nullopt;
    auto content = reader.read_file(path);
    if (!content) return reader.problem(value.place, "\"" + std::string(key) + "\": " + content.error().message), std::nullopt;
    return to_utf8(*content);
  };
  return form;
}

// A file's name; what is kept is its content, one JSON document.
Form<std::string> json_file() {
  auto form = filled_text();
  form.read = [plain = form.read](Reader& reader, const Tree& value, std::string_view key) -> std::optional<std::string> {
    auto text = plain(reader, value, key);
    if (!text || reader.canonical) return text;
    const auto path = reader.path(value.place, key, *text);
    if (!path.starts_with('/')) return std::nullopt;
    auto content = reader.read_file(path);
    if (content && !is_json(*content)) content = fail(*text + " is not JSON");
    if (!content) return reader.problem(value.place, "\"" + std::string(key) + "\": " + content.error().message), std::nullopt;
    return *content;
  };
  return form;
}

Form<std::string> agent_id_form() {
  auto form = text();
  form.schema["pattern"] = "^[a-z0-9][a-z0-9_-]{0,63}$";
  return form;
}

bool looks_like_cron(const std::string& text) { return text.starts_with("@") || text.find(' ') != std::string::npos; }

Form<Millis> interval_form() {
  auto form = duration(seconds(1));
  form.read = [plain = form.read](Reader& reader, const Tree& value, std::string_view key) -> std::optional<Millis> {
    if (const auto* text = value.text(); text && looks_like_cron(*text))
      return reader.problem(value.place, "\"interval\" is a duration like \"10m\"; a cron expression goes into \"cron\""), std::nullopt;
    return plain(reader, value, key);
  };
  return form;
}

Form<Session> session_form() {
  auto form = Form<Session>{Kind::text, {}, {}, {{"type", "string"}, {"pattern", "^(agent|run|fixed:.+)$"}}, nullptr};
  form.read = [](Reader& reader, const Tree& value, std::string_view key) -> std::optional<Session> {
    const auto* text = value.text();
    if (text && *text == "agent") return Session{Session::Scope::agent, ""};
    if (text && *text == "run") return Session{Session::Scope::run, ""};
    if (text && text->starts_with("fixed:") && is_name(text->substr(6))) return Session{Session::Scope::fixed, text->substr(6)};
    if (!text) return reader.wrong_type(value, key, "text"), std::nullopt;
    return reader.problem(value.place, "\"session\" must be \"agent\", \"run\" or \"fixed:NAME\""), std::nullopt;
  };
  form.write = [](const Session& s, bool) -> Json { return s.scope == Session::Scope::agent ? "agent" : s.scope == Session::Scope::run ? "run" : "fixed:" + s.name; };
  return form;
}

// A key that holds one alternative of Schedule::when.
template <class Alternative, class V>
Key when_key(std::string name, V Alternative::* member, Form<V> form, std::string doc) {
  return custom_key<Schedule, V>(
      std::move(name),
      [member](const Schedule& s) {
        const auto* when = std::get_if<Alternative>(&s.when);
        return when ? std::optional<V>(when->*member) : std::nullopt;
      },
      [member](Schedule& s, V value) -> std::string {
        if (!std::holds_alternative<std::monostate>(s.when)) return "does not go with another of \"interval\", \"cron\" and \"at\"";
        Alternative when;
        when.*member = std::move(value);
        s.when = std::move(when);
        return "";
      },
      std::move(form), std::move(doc));
}

// A key that only one kind of trigger has.
template <class Alternative, class V>
Key trigger_key(std::string name, V Alternative::* member, std::string on, Form<V> form, std::string doc) {
  return custom_key<Trigger, V>(
      std::move(name),
      [member](const Trigger& t) {
        const auto* alternative = std::get_if<Alternative>(&t.on);
        return alternative ? std::optional<V>(alternative->*member) : std::nullopt;
      },
      [member, on](Trigger& t, V value) -> std::string {
        auto* alternative = std::get_if<Alternative>(&t.on);
        if (!alternative) return "belongs to a trigger with on = \"" + on + "\"";
        alternative->*member = std::move(value);
        return "";
      },
      std::move(form), std::move(doc));
}

Key trigger_kind() {
  return custom_key<Trigger, std::string>(
             "on", [](const Trigger& t) { return std::optional<std::string>(std::array{"webhook", "file", "agent"}[t.on.index()]); },
             [](Trigger& t, std::string on) {
               if (on == "webhook") t.on = WebhookTrigger{};
               else if (on == "file") t.on = FileTrigger{};
               else t.on = AgentTrigger{};
               return std::string();
             },
             one_of({"webhook", "file", "agent"}), "What starts a run.")
      .first()
      .required();
}

const TableKeys& model_ref_keys() {
  static const auto keys = table_keys<ModelRef>({.keys = {
      key("provider", &ModelRef::provider, name_text(), "An entry of [providers.*] in agentd.toml.").required(),
      key("model", &ModelRef::model, filled_text(), "The model's name, as the provider knows it.").required(),
  }});
  return keys;
}

const TableKeys& model_keys() {
  static const auto keys = table_keys<Model>({
      .keys = {
          key("provider", &Model::provider, name_text(), "An entry of [providers.*] in agentd.toml."),
          key("model", &Model::model, filled_text(), "The model's name, as the provider knows it."),
          key("temperature", &Model::temperature, number(0, 2), "Sampling temperature; left out: the model's own."),
          key("reasoning_effort", &Model::reasoning_effort, filled_text(), "How long a reasoning model thinks, as the provider names it; left out: not sent."),
          key("max_output_tokens", &Model::max_output_tokens, integer(0), "Tokens of one answer at most; 0: the model's own limit."),
          key("fallback", &Model::fallback, list(table<ModelRef>(model_ref_keys())), "Models to go on with when this one's provider is down.").not_yet(),
      },
      .moved = {{"max_tokens", "it is \"max_output_tokens\" here"},
                {"name", "the model's name is \"model\""},
                {"api_key", "keys stand in [providers.NAME] of agentd.toml"},
                {"base_url", "addresses stand in [providers.NAME] of agentd.toml"}},
  });
  return keys;
}

const TableKeys& task_keys() {
  static const auto keys = table_keys<Task>({
      .keys = {
          key("query", &Task::query, filled_text(), "What the model is asked to do."),
          key("native", &Task::native, name_text(), "A task plugin's component, instead of a query: no model."),
          key("params", &Task::params, open_table(), "Given to the model with the query, or to the native task: for that, a text that begins with ./ or ../ is a path beside this file."),
          key("output_schema", &Task::output_schema, json_file(), "A JSON Schema file that the final answer must fit."),
          key("require", &Task::require, list(filled_text()), "Tools that must have succeeded at least once for the run to be completed."),
          key("timeout", &Task::timeout, duration(Millis(1)), "Active time of one attempt."),
          key("deadline", &Task::deadline, duration(Millis(1)), "Time for everything together, waits included; left out: none."),
      },
      .moved = {{"prompt", "it is \"query\" here"}, {"task", "it is \"query\" here"}, {"description", "it stands at the top of the manifest"}},
  });
  return keys;
}

const TableKeys& gate_keys() {
  static const auto keys = table_keys<Gate>({.keys = {
      key("native", &Gate::native, name_text(), "A task plugin's component that decides whether this slot is worth a run.").required(),
      key("params", &Gate::params, open_table(), "Given to it; a text that begins with ./ or ../ is a path beside this file."),
  }});
  return keys;
}

const TableKeys& schedule_keys() {
  using port::Overlap;
  static const auto keys = table_keys<Schedule>({
      .keys = {
          when_key("interval", &Interval::every, interval_form(), "Time between slots, measured from `start`, else from the epoch."),
          when_key("cron", &Cron::expression, filled_text(), "Five fields, by Vixie's rules."),
          when_key("at", &At::at, instant(), "One slot, at this instant."),
          key("timezone", &Schedule::timezone, filled_text(), "IANA name of the zone in which `cron` is read."),
          key("start", &Schedule::start, instant(), "No slot before."),
          key("end", &Schedule::end, instant(), "No slot from here on."),
          key("jitter", &Schedule::jitter, duration(), "Slots are late by a part of this that is fixed per agent."),
          key("overlap", &Schedule::overlap,
              choice<Overlap>({{"skip", Overlap::skip}, {"queue", Overlap::queue}, {"cancel_previous", Overlap::cancel_previous}, {"allow", Overlap::allow}}),
              "What becomes of a slot while a run of the agent is alive."),
          key("misfire", &Schedule::misfire, choice<Misfire>({{"latest", Misfire::latest}, {"skip", Misfire::skip}, {"all", Misfire::all}}),
              "What becomes of slots noticed too late: the latest runs, or none, or all of them one after the other."),
          key("catchup_window", &Schedule::catchup_window, duration(), "How far back missed slots are made up; left out: the larger of 1 h and one period, at most 7 d."),
          key("run_on_start", &Schedule::run_on_start, boolean(), "A run at once, once per ledger epoch."),
      },
      .moved = {{"every", "it is \"interval\" here"},
                {"coalesce", "it is \"misfire\" here: latest, skip or all"},
                {"misfire_grace_time", "it is \"catchup_window\" here"},
                {"max_instances", "it is \"max_concurrent\" in [limits]"},
                {"tz", "it is \"timezone\" here"}},
  });
  return keys;
}

const TableKeys& trigger_keys() {
  static const auto keys = table_keys<Trigger>({.keys = {
      key("name", &Trigger::name, name_text(), "Unique within the agent.").required(),
      trigger_kind(),
      trigger_key("verify", &WebhookTrigger::verify, "webhook",
                  choice<WebhookVerify>({{"standard", WebhookVerify::standard}, {"github", WebhookVerify::github}, {"bearer", WebhookVerify::bearer}}),
                  "How a request proves where it comes from."),
      trigger_key("secret", &WebhookTrigger::secret, "webhook", secret(), "What it is proved with."),
      trigger_key("path", &FileTrigger::path, "file", path(), "The folder that is watched."),
      trigger_key("glob", &FileTrigger::glob, "file", filled_text(), "Which files count."),
      trigger_key("debounce", &FileTrigger::debounce, "file", duration(), "A file must have been quiet for so long."),
      trigger_key("agent", &AgentTrigger::agent, "agent", agent_id_form(), "The agent whose runs are waited for."),
      trigger_key("outcome", &AgentTrigger::outcome, "agent", one_of({"completed", "failed", "timed_out", "cancelled", "quarantined"}), "Which end of its runs counts."),
  }});
  return keys;
}

const TableKeys& retry_keys() {
  static const auto keys = table_keys<Retry>({
      .keys = {
          key("max_retries", &Retry::max_retries, integer(0, 1000), "Tries after the first, of the whole run."),
          key("delay", &Retry::delay, duration(), "Before the first retry."),
          key("backoff", &Retry::backoff, choice<Backoff>({{"exponential", Backoff::exponential}, {"fixed", Backoff::fixed}}), "How the delay grows."),
          key("max_delay", &Retry::max_delay, duration(), "Where it stops growing."),
          key("jitter", &Retry::jitter, number(0, 1), "Share of the delay that is random."),
          key("pause_after_failures", &Retry::pause_after_failures, integer(0), "Failed runs in a row after which the agent is paused; 0: never."),
      },
      .moved = {{"retry_delay", "it is \"delay\" here"}, {"attempts", "it is \"max_retries\" here: tries after the first"}},
  });
  return keys;
}

const TableKeys& limits_keys() {
  static const auto keys = table_keys<Limits>({
      .keys = {
          key("queue_size", &Limits::queue_size, integer(1, 1'000'000), "Runs that may wait: to start, and for a retry, a budget, a provider or a person."),
          key("max_concurrent", &Limits::max_concurrent, integer(1, 10'000), "Runs in flight at once."),
          key("max_steps", &Limits::max_steps, integer(0, 10'000), "Model calls with their tool calls, per run; 0: no limit."),
          key("request_limit", &Limits::request_limit, integer(0), "Model calls per run; 0: no limit."),
          key("total_tokens_limit", &Limits::total_tokens_limit, integer(0), "Tokens per run; 0: no limit."),
          key("cost_limit", &Limits::cost_limit, money(), "Dollars per run; 0: no limit. Left out: 1.00 where the model has a price."),
          key("tokens_per_day", &Limits::tokens_per_day, integer(0), "Tokens per UTC day; 0: no limit."),
          key("cost_per_day", &Limits::cost_per_day, money(), "Dollars per UTC day; 0: no limit."),
          key("on_budget", &Limits::on_budget, choice<OnBudget>({{"stop", OnBudget::stop}, {"park", OnBudget::park}}), "What becomes of a run when a day's budget has no room: \"stop\" ends it, \"park\" lets it wait for the next day or for a raise."),
          key("max_crashes", &Limits::max_crashes, integer(1, 1000), "Deaths of a worker in one run before it is quarantined."),
          key("tool_call_timeout", &Limits::tool_call_timeout, duration(Millis(1)), "One tool call."),
          key("tool_output_limit", &Limits::tool_output_limit, size(256, 8 << 20), "What of a tool's output the model is shown."),
          key("parallel_tools", &Limits::parallel_tools, integer(1, 1000), "Tool calls of one step in flight at once."),
      },
      .moved = {{"max_instances", "it is \"max_concurrent\" here"}, {"max_tokens", "it is \"total_tokens_limit\" here"}, {"timeout", "it stands in [task]"}},
  });
  return keys;
}

const TableKeys& memory_keys() {
  static const auto keys = table_keys<Memory>({
      .keys = {
          key("store", &Memory::store, name_text(), "An entry of [stores.*] in agentd.toml; left out: the host's."),
          key("stores", &Memory::stores, entries(name_text()), "A store per type of memory: episodic, long_term, procedural."),
          key("session", &Memory::session, session_form(), "Whose conversation goes on: the agent's, each run's own, or one with a fixed name."),
          key("window", &Memory::window, integer(0, 10'000), "Messages of earlier runs that are read back."),
          key("window_tokens", &Memory::window_tokens, integer(0), "And at most so many tokens of them."),
          key("summarize", &Memory::summarize, boolean(), "What leaves the window goes into a running summary."),
          key("recall", &Memory::recall, integer(0, 1000), "Long-term and procedural entries that are given to the model."),
          key("learn", &Memory::learn, list(one_of({"long_term", "procedural"})), "What a short extra model call distils after a run."),
      },
      .moved = {{"mode", "the window is \"window\" and \"window_tokens\" here"}, {"value", "the window is \"window\" and \"window_tokens\" here"}},
  });
  return keys;
}

const TableKeys& tools_keys() {
  static const auto keys = table_keys<Tools>({
      .keys = {
          key("allow", &Tools::allow, list(filled_text()), "Tools the model is given; \"*\" stands for any text. None without it."),
          key("ask", &Tools::ask, list(filled_text()), "Tools whose calls wait for a person; they need not stand in \"allow\"."),
          key("deny", &Tools::deny, list(filled_text()), "Tools that are never called."),
          key("approval_timeout", &Tools::approval_timeout, duration(seconds(1)), "A call that waits longer is denied."),
          key("on_unknown_outcome", &Tools::on_unknown_outcome,
              choice<OnUnknownOutcome>({{"tell_model", OnUnknownOutcome::tell_model}, {"park", OnUnknownOutcome::park}, {"fail", OnUnknownOutcome::fail}}),
              "What follows a call whose end nobody knows. park: a person is asked; approving goes on and tells the model, denying fails the run."),
          key("toolsets", &Tools::toolsets, entries(open_table()), "Narrows the host's settings of a toolset."),
      },
      .moved = {{"mcp", "MCP servers stand in [mcp.NAME] of agentd.toml; their tools are \"mcp.NAME.TOOL\" in \"allow\""}},
  });
  return keys;
}

const TableKeys& deliver_keys() {
  static const auto keys = table_keys<Deliver>({.keys = {
      key("sinks", &Deliver::sinks, list(name_text()), "Entries of [sinks.*] in agentd.toml.").required(),
      key("on", &Deliver::on, list(one_of({"completed", "failed", "timed_out", "cancelled", "quarantined"})), "Which ends of a run."),
      key("when", &Deliver::when, choice<DeliverWhen>({{"always", DeliverWhen::always}, {"changed", DeliverWhen::changed}, {"reported", DeliverWhen::reported}}),
          "Always, when the result differs from the last, or when the agent had something to report."),
  }});
  return keys;
}

const TableKeys& alerts_keys() {
  static const auto keys = table_keys<Alerts>({.keys = {
      key("silent_after", &Alerts::silent_after, duration(seconds(1)), "No completed run for so long."),
      key("consecutive_failures", &Alerts::consecutive_failures, integer(0), "Failed runs in a row; 0: never."),
      key("budget_ratio", &Alerts::budget_ratio, number(0, 1), "Share of a budget that is used up; 0: never."),
      key("sinks", &Alerts::sinks, list(name_text()), "Entries of [sinks.*] in agentd.toml."),
  }});
  return keys;
}

std::vector<Moved> other_names() {
  return {{"model_config", "the model stands in [model]"},
          {"llm", "the model stands in [model]"},
          {"llm_config", "the model stands in [model]"},
          {"task_config", "the task stands in [task]"},
          {"agent_config", "limits stand in [limits], memory in [memory]"},
          {"memory_config", "memory stands in [memory]"},
          {"memory_store", "it is \"store\" in [memory]"},
          {"event_store", "event stores stand in [events] of agentd.toml"},
          {"retry_delay", "it is \"delay\" in [retry]"},
          {"retries", "it is \"max_retries\" in [retry]"},
          {"max_instances", "it is \"max_concurrent\" in [limits]"},
          {"prompt", "what to do is \"query\" in [task]"},
          {"system_prompt", "it is \"system_instruction\" here"},
          {"instruction", "it is \"system_instruction\" here"},
          {"instructions", "it is \"system_instruction\" here"},
          {"name", "it is \"agent_id\" here"},
          {"agent_name", "it is \"agent_id\" here"},
          {"id", "it is \"agent_id\" here"},
          {"local_tools", "tools stand in [tools]: allow = [\"toolset.tool\"]"},
          {"mcp_tools", "MCP servers stand in [mcp.NAME] of agentd.toml, their tools in [tools]: allow = [\"mcp.NAME.*\"]"},
          {"toolsets", "it belongs in [tools]"},
          {"triggers", "it is [[trigger]] here"},
          {"timeout", "it stands in [task]"},
          {"cost_budget", "it is \"cost_limit\" in [limits]"},
          {"token_budget", "it is \"total_tokens_limit\" in [limits]"}};
}

}  // namespace

const TableKeys& agent_keys() {
  static const auto keys = table_keys<AgentSpec>({
      .keys = {
          key("agent_id", &AgentSpec::agent_id, agent_id_form(), "The agent's name: the file's stem, and may be left out."),
          key("description", &AgentSpec::description, text(), "For people."),
          key("system_instruction", &AgentSpec::system_instruction, text_or_file(), "What the model is told first; or \"file:PATH\"."),
          key("enabled", &AgentSpec::enabled, boolean(), "Whether the agent runs at all."),
          key("debug", &AgentSpec::debug, boolean(), "This agent's log at debug level."),
          key("labels", &AgentSpec::labels, entries(text()), "For people and their filters."),
          key("skills", &AgentSpec::skills, list(path()), "Folders with a SKILL.md.").not_yet(),
          key("model", &AgentSpec::model, table<Model>(model_keys()), "The model; not needed for a native task."),
          key("task", &AgentSpec::task, table<Task>(task_keys()), "What to do."),
          key("gate", &AgentSpec::gate, table<Gate>(gate_keys()), "A native task that decides whether a slot is worth a run."),
          key("schedule", &AgentSpec::schedule, table<Schedule>(schedule_keys()), "When: one of interval, cron, at."),
          key("trigger", &AgentSpec::triggers, list(table<Trigger>(trigger_keys())), "What else starts a run."),
          key("retry", &AgentSpec::retry, table<Retry>(retry_keys()), "When a run fails."),
          key("limits", &AgentSpec::limits, table<Limits>(limits_keys()), "What bounds a run and the agent."),
          key("memory", &AgentSpec::memory, table<Memory>(memory_keys()), "What a run is given to read, and what it leaves."),
          key("tools", &AgentSpec::tools, table<Tools>(tools_keys()), "Deny, then ask, then allow: the first list that matches decides."),
          key("deliver", &AgentSpec::deliver, list(table<Deliver>(deliver_keys())), "Who gets the result."),
          key("alerts", &AgentSpec::alerts, table<Alerts>(alerts_keys()), "When to call a person."),
      },
      .moved = other_names(),
  });
  return keys;
}

}  // namespace agentd::manifest
