// `agentd run FILE`: the engine without a server, for one run.
#include <ostream>
#include <set>

#include "core/base/plain_text.hpp"
#include "core/event/record.hpp"
#include "core/run/clean.hpp"
#include "host/api/run_view.hpp"
#include "host/commands.hpp"
#include "host/engine.hpp"
#include "host/places.hpp"
#include "host/run_waits.hpp"
#include "host/setup.hpp"

namespace agentd::host {
namespace {

constexpr std::size_t kRecordsAtOnce = 32;

// Ids of what is told are places in a ledger: one that is thrown away would tell different things under one id.
bool delivers(const cli::RunFile& command) { return !command.dry_run && !command.surroundings.state.empty(); }

class OneRun {
 public:
  OneRun(const Setup& setup, const cli::RunFile& command, std::filesystem::path state_dir, const cli::Output& to)
      : config_(setup.loaded.config), command_(command), to_(to), ground_(setup.loaded, setup.around.environment, setup.plugin_folders, std::move(state_dir)),
        engine_(ground_, config_, {.dry_run = command.dry_run, .can_ask = false, .delivers = delivers(command)}) {}

  int run() { return ground_.run(story()); }

 private:
  Async<int> story() {
    const int code = co_await perform_run();
    co_await engine_.stop(config_.host.drain_timeout, "done");
    co_await engine_.close();
    co_return code;
  }

  Async<int> perform_run() {
    const auto opened = co_await engine_.open();
    if (!opened) co_return refuse(cli::kFailed, opened.error().message);
    auto agent = co_await read_one_agent(command_.manifest, config_, ground_.ports);
    if (!agent.spec) {
      print(agent.problems, to_);
      co_return cli::kUsage;
    }
    const auto id = agent.spec->agent_id;
    std::vector<manifest::LoadedAgent> agents;
    agents.push_back(std::move(agent));
    co_await engine_.take(std::move(agents));
    const auto member = engine_.roster().find(id);
    if (!member) co_return cli::kUsage;  // the log has said why
    if (member->delivers && !delivers(command_)) to_.err << "note: nobody is told of this run; a host, or --state DIR, keeps what it needs for that" << std::endl;
    const auto started = co_await engine_.start();
    if (!started) co_return refuse(cli::kFailed, started.error().message);
    const auto run = co_await enqueue(*member);
    if (!run) co_return refuse(cli::kFailed, run.error().message);
    attempts_ = member->spec().retry.max_retries + 1;
    const int code = co_await end_of(*run);
    co_await remember();
    co_return code;
  }

  // Runs for memory came in with its end.
  Async<void> remember() {
    if (for_memory_.empty()) co_return;
    to_.err << "waiting for what its memory is to keep" << std::endl;
    while (!for_memory_.empty()) {
      const auto records = co_await engine_.journal().live().after(seen_, kRecordsAtOnce, std::stop_token());
      if (!records) co_return void(refuse(cli::kFailed, records.error().message));
      for (const auto& record : *records) {
        see(record);
        const auto decoded = event::decode(record.kind, record.payload);
        const bool is_awaited = for_memory_.contains(record.run);
        if (const auto waits = decoded && is_awaited ? wait_text(decoded->body, attempts_) : std::nullopt) to_.err << *waits << std::endl;
        const auto* ended = decoded ? std::get_if<event::Ended>(&decoded->body) : nullptr;
        if (ended && for_memory_.erase(record.run) > 0 && ended->status != port::RunStatus::completed)
          to_.err << "agentd: run " << to_text(record.run) << " for its memory " << port::name(ended->status) << ": " << plain_text(ended->fault ? ended->fault->message : ended->reason) << '\n';
      }
    }
  }

  void see(const port::StoredRecord& record) {
    seen_ = record.position;
    const auto decoded = record.kind == event::Entered::kKind ? event::decode(record.kind, record.payload) : fail("no entry");
    if (decoded && std::get<event::Entered>(decoded->body).digest) for_memory_.insert(record.run);
  }

  Async<Result<RunId>> enqueue(const Member& member) {
    event::Entered entered{.trigger = "manual", .query = command_.query.value_or("")};
    run::clean(ground_.redactor, entered);
    std::vector<port::Entry> entries(1);
    auto& entry = entries.front();
    entry.agent_id = member.agent_id;
    entry.nonce = static_cast<std::uint32_t>(ground_.random.next());
    entry.due_at = ground_.clock.now();
    entry.revision = member.revision;
    entry.payload = event::encode(entered);
    const auto admitted = co_await engine_.ledger().enqueue(std::move(entries));
    if (!admitted) co_return fail(admitted.error().message);
    if (!admitted->front().run) co_return fail("the queue of the agent is full");
    co_return admitted->front().run;
  }

  // Follows the run in the journal, and says what it waits for.
  Async<int> end_of(RunId run) {
    seen_ = run.position - 1;
    for (Position end = 0; end == 0 || seen_ < end;) {
      const auto records = co_await engine_.journal().live().after(seen_, kRecordsAtOnce, std::stop_token());
      if (!records) co_return refuse(cli::kFailed, records.error().message);
      for (const auto& record : *records) {
        see(record);
        const auto decoded = record.run == run ? event::decode(record.kind, record.payload) : fail("another's");
        if (!decoded) continue;
        if (const auto waits = wait_text(decoded->body, attempts_)) to_.err << *waits << std::endl;
        if (const auto denied = denial_text(decoded->body)) to_.err << *denied << std::endl;
        if (std::holds_alternative<event::Ended>(decoded->body)) end = engine_.ledger().last_position();  // with what came in with it
      }
    }
    const auto records = co_await engine_.ledger().load(run);
    if (!records) co_return refuse(cli::kFailed, records.error().message);
    co_return tell(api::run_view(*records), command_.dry_run ? not_done(*records) : api::Json::array());
  }

  // The calls of a dry run that were not made.
  static api::Json not_done(const std::vector<port::StoredRecord>& records) {
    api::Json calls = api::Json::array();
    for (const auto& step : api::steps_view(records))
      if (step["kind"] == "tool" && step["outcome"] == "ok" && (step["effect"] != port::name(port::Effect::pure) || step["content"] == "dry run")) calls.push_back({{"tool", step["name"]}, {"arguments", step["arguments"]}});
    return calls;
  }

  int tell(api::Json run, const api::Json& would_call) const {
    const bool completed = run["status"] == "completed";
    if (command_.dry_run && command_.json) run["would_call"] = would_call;
    if (!command_.json)
      for (const auto& call : would_call) to_.out << "dry run: would call " << call["tool"].get<std::string>() << ' ' << plain_json(call["arguments"].dump(-1, ' ', false, api::Json::error_handler_t::replace)) << '\n';
    if (command_.json) {
      to_.out << plain_json(run.dump(2, ' ', false, api::Json::error_handler_t::replace)) << '\n';
    } else if (completed) {
      const auto& result = run["result"];
      const auto answer = result.is_string() ? result.get<std::string>() : result.dump(2, ' ', false, api::Json::error_handler_t::replace);
      to_.out << (to_.terminal.is_terminal ? plain_text(answer, "\n\t", "") : answer) << '\n';
    } else {
      to_.err << "agentd: run " << run["run_id"].get<std::string>() << " " << run["status"].get<std::string>() << ": " << (run["error"].is_string() ? plain_text(run["error"].get<std::string>()) : "") << '\n';
    }
    return completed ? cli::kDone : cli::kFailed;
  }

  int refuse(int code, const std::string& why) const {
    to_.err << "agentd: " << plain_text(why) << '\n';
    return code;
  }

  const manifest::HostConfig& config_;
  const cli::RunFile& command_;
  const cli::Output& to_;
  Ground ground_;
  Engine engine_;
  std::int64_t attempts_ = 1;
  Position seen_ = 0;
  std::set<RunId> for_memory_;  // that have not ended
};

}  // namespace

int perform(const cli::RunFile& command, const cli::Output& to) {
  auto setup = usable_setup(command.surroundings, to);
  if (!setup) return setup.error();
  if (auto& log = setup->loaded.config.log; log.level == "info") {  // the answer is what was asked for; what a run waits for is told in other words
    log.level = "warn";
    log.levels.try_emplace("events", "error");
  }
  if (!command.surroundings.state.empty()) {
    const auto& folder = setup->loaded.config.host.state_dir;
    const auto made = make_private_folder(folder);
    if (!made) return to.err << "agentd: " << made.error().message << '\n', cli::kUsage;
    to.err << "state: " << folder << '\n';
    return OneRun(*setup, command, folder, to).run();
  }
  const auto temporary = TemporaryFolder::make();
  if (!temporary) return to.err << "agentd: " << temporary.error().message << '\n', cli::kFailed;
  setup->loaded.config.events.stores.clear();  // copies of a ledger that is thrown away would only collide with those of a host
  to.err << "state: temporary, removed at the end (--state keeps it)\n";
  return OneRun(*setup, command, temporary->path(), to).run();
}

}  // namespace agentd::host
