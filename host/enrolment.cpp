#include "host/enrolment.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "host/together.hpp"

namespace agentd::host {
namespace {

constexpr Millis kLookAtRunsAgain{20};
constexpr int kLooks = 100;
constexpr Millis kTryToFinishAgain{1'000};
constexpr std::size_t kEndedAtOnce = 256;

std::unexpected<Enrolment::Refusal> refuse(Enrolment::Refusal::Why why, std::string message) { return std::unexpected(Enrolment::Refusal{why, std::move(message), {}}); }
std::unexpected<Enrolment::Refusal> invalid(std::vector<manifest::Problem> problems) { return std::unexpected(Enrolment::Refusal{Enrolment::Refusal::Why::invalid, "the manifest is refused", std::move(problems)}); }
std::unexpected<Enrolment::Refusal> invalid(std::string message) { return invalid(std::vector{manifest::Problem{manifest::kSentFile, 0, 0, std::move(message)}}); }
std::unexpected<Enrolment::Refusal> refused_by(const port::LedgerError& error) { return std::unexpected(Enrolment::Refusal{Enrolment::Refusal::Why::ledger, error.message, {}, error}); }

std::string named(const std::string& agent_id) { return "agent " + manifest::quote(agent_id); }

void clean_texts(const port::Cleaner& cleaner, nlohmann::json& value) {
  if (value.is_string()) cleaner.clean(value.get_ref<std::string&>());
  else if (value.is_structured())
    for (auto& item : value) clean_texts(cleaner, item);
}

// Of the same places as a spec's: a secret may be a word that elsewhere is a name. Nothing of what cannot be read.
std::string cleaned_document(const port::Cleaner& cleaner, const std::string& document) {
  if (document.empty()) return document;
  auto json = nlohmann::json::parse(document);
  for (const auto* place : {"/description", "/system_instruction", "/task/query", "/task/params", "/labels"})
    if (const nlohmann::json::json_pointer at(place); json.contains(at)) clean_texts(cleaner, json[at]);
  return json.dump();
}

}  // namespace

void Enrolment::start() {
  for (const auto& [agent_id, kept] : ground_.engine.sent().all()) {
    if (!kept.is_leaving) continue;
    ++finishing_;
    spawn(ground_.world.executor, finish_later(agent_id));
  }
}

Async<void> Enrolment::stop() {
  stopping_.request_stop();
  while (finishing_ > 0) co_await sleep(ground_.world.timers, Millis(1), {});
}

// ---- who may not

std::optional<Enrolment::Refusal> Enrolment::belongs_to_a_file(const std::string& agent_id, const char* remedy) const {
  const auto member = ground_.engine.roster().find(agent_id);
  if (member && !member->is_sent()) return Refusal{Refusal::Why::conflict, named(agent_id) + " comes from " + member->file + ": " + remedy, {}};
  if (ground_.engine.sent().find(agent_id)) return std::nullopt;
  for (const auto& refused : ground_.engine.roster().refused())
    if (refused.agent_id == agent_id) return Refusal{Refusal::Why::conflict, named(agent_id) + " is that of " + refused.file + ", which is refused now: " + remedy, {}};
  return std::nullopt;
}

std::optional<Enrolment::Refusal> Enrolment::not_now(const std::string& agent_id) const {
  if (stopping_.stop_requested()) return Refusal{Refusal::Why::ledger, "the host is stopping", {}, {port::LedgerFault::unavailable, "the host is stopping"}};
  const auto* kept = ground_.engine.sent().find(agent_id);
  if (kept && kept->is_leaving) return Refusal{Refusal::Why::conflict, named(agent_id) + " is being deleted, and a run of it is still ending; try again soon", {}};
  return std::nullopt;
}

std::optional<Enrolment::Refusal> Enrolment::is_followed(const std::string& agent_id) const {
  const auto& followers = ground_.engine.roster().followers(agent_id);
  if (followers.empty()) return std::nullopt;
  const auto& first = followers.front();
  return Refusal{Refusal::Why::conflict, named(first.agent_id) + " runs when " + manifest::quote(agent_id) + " has (trigger " + manifest::quote(first.trigger) + "): change or remove that one first", {}};
}

Async<std::optional<Enrolment::Refusal>> Enrolment::has_moved_on(std::string agent_id, Revision revision) const {
  if (!revision) co_return std::nullopt;
  const auto member = ground_.engine.roster().find(agent_id);
  auto now = member ? member->revision : 0;
  if (!member) {
    const auto spec = co_await ground_.engine.ledger().spec(agent_id, 0);
    if (!spec) co_return refused_by(spec.error()).error();
    if (*spec) now = (*spec)->revision;
  }
  if (now == *revision) co_return std::nullopt;
  co_return Refusal{Refusal::Why::moved_on, named(agent_id) + " has revision " + std::to_string(now) + ", not " + std::to_string(*revision) + ": look at it again", {}};
}

// ---- a manifest that was sent

Async<manifest::LoadedAgent> Enrolment::read(std::string agent_id, const manifest::SentManifest& sent) const {
  Judge judge(ground_.ports);
  auto loaded = manifest::read_sent(sent, agent_id, ground_.config, judge.checks());
  if (judge.has_questions()) {
    co_await judge.settle();
    loaded = manifest::read_sent(sent, agent_id, ground_.config, judge.checks());
  }
  if (loaded.links.empty()) co_return loaded;
  manifest::FoundAgents known;
  for (const auto& [id, member] : ground_.engine.roster().members()) known.sent.push_back(id);
  for (const auto& refused : ground_.engine.roster().refused()) known.sent.push_back(refused.agent_id);
  std::ranges::sort(known.sent);
  manifest::refuse_unknown_agents(known, loaded);
  co_return loaded;
}

Async<Enrolment::Outcome> Enrolment::create(manifest::SentManifest sent, std::string key, std::string by) {
  const auto turn = co_await ground_.fleet.turn();
  const auto agent_id = sent.agent_id;
  if (auto refused = not_now(agent_id)) co_return std::unexpected(std::move(*refused));
  if (auto refused = belongs_to_a_file(agent_id, "that file is its manifest")) co_return std::unexpected(std::move(*refused));
  SentAgents::Kept fresh{.document = cleaned_document(ground_.ports.cleaner(), sent.document), .key = std::move(key), .first = manifest::content_hash(sent.document)};
  if (const auto* known = ground_.engine.sent().find(agent_id)) {
    const bool is_again = !fresh.key.empty() && fresh.key == known->key;
    if (is_again && fresh.first != known->first) co_return refuse(Refusal::Why::key_reused, "this Idempotency-Key created " + named(agent_id) + " from another manifest");
    if (!is_again && fresh.first != known->first && fresh.document != known->document) co_return refuse(Refusal::Why::conflict, named(agent_id) + " exists already, from another manifest: agentd agents update, or apply, changes it");
    if (auto member = ground_.engine.roster().find(agent_id)) co_return Done{std::move(member), Done::Change::created};
    fresh = *known;  // it is refused now: why is found below
  }
  auto keeping = keep(agent_id, sent, std::move(fresh), std::move(by));
  co_return co_await std::move(keeping);
}

Async<Enrolment::Outcome> Enrolment::put(std::string agent_id, manifest::SentManifest sent, Revision revision, std::string by) {
  const auto turn = co_await ground_.fleet.turn();
  if (auto refused = not_now(agent_id)) co_return std::unexpected(std::move(*refused));
  if (auto refused = belongs_to_a_file(agent_id, "change that file; it is read again by itself")) co_return std::unexpected(std::move(*refused));
  auto checking = has_moved_on(agent_id, revision);
  if (auto refused = co_await std::move(checking)) co_return std::unexpected(std::move(*refused));
  const auto* known = ground_.engine.sent().find(agent_id);
  SentAgents::Kept kept = known ? *known : SentAgents::Kept{.document = {}, .key = {}, .first = manifest::content_hash(sent.document)};
  kept.document = sent.document;
  auto keeping = keep(agent_id, sent, std::move(kept), std::move(by));
  co_return co_await std::move(keeping);
}

Async<Enrolment::Outcome> Enrolment::patch(std::string agent_id, std::string patch, Revision revision, std::string by) {
  const auto turn = co_await ground_.fleet.turn();
  if (auto refused = not_now(agent_id)) co_return std::unexpected(std::move(*refused));
  if (auto refused = belongs_to_a_file(agent_id, "change that file; it is read again by itself")) co_return std::unexpected(std::move(*refused));
  const auto* known = ground_.engine.sent().find(agent_id);
  if (!known) co_return refuse(Refusal::Why::unknown_agent, agent_id);
  auto checking = has_moved_on(agent_id, revision);
  if (auto refused = co_await std::move(checking)) co_return std::unexpected(std::move(*refused));
  const auto sent = manifest::parse_sent(manifest::patched(known->document, patch), manifest::SentAs::json);
  auto kept = *known;
  kept.document = sent.document;
  auto keeping = keep(agent_id, sent, std::move(kept), std::move(by));
  co_return co_await std::move(keeping);
}

Async<Enrolment::Outcome> Enrolment::keep(std::string agent_id, const manifest::SentManifest& sent, SentAgents::Kept kept, std::string by) {
  auto reading = read(agent_id, sent);
  auto loaded = co_await std::move(reading);
  if (!loaded.spec) co_return invalid(std::move(loaded.problems));
  auto& roster = ground_.engine.roster();
  if (auto problem = roster.cycle_with(loaded)) co_return invalid(std::vector{std::move(*problem)});
  if (auto full = ground_.engine.sent().no_room(agent_id, kept.document); !full.empty()) co_return invalid(std::move(full));
  clean(ground_.ports.cleaner(), *loaded.spec);
  kept.document = cleaned_document(ground_.ports.cleaner(), kept.document);
  auto making = roster.make_member(loaded);
  auto made = co_await std::move(making);
  if (!made) co_return invalid(made.error().message);
  const auto before = roster.find(agent_id);
  const auto* known = ground_.engine.sent().find(agent_id);
  if (before && known && before->manifest == made->manifest && known->document == kept.document) co_return Done{before, Done::Change::none};
  const auto created = !known;
  const bool any_refused = !roster.refused().empty();
  auto keeping = keep(*made, std::move(kept), std::move(by));
  const auto revision = co_await std::move(keeping);
  if (!revision) co_return std::unexpected(revision.error());
  made->revision = *revision;
  const auto change = created ? Done::Change::created : !before || before->revision != *revision ? Done::Change::updated : Done::Change::none;
  auto member = roster.adopt(std::move(*made), std::move(loaded.links));
  ground_.engine.know(*member);
  auto taking = ground_.fleet.take(member);
  co_await std::move(taking);
  if (!before && any_refused) ground_.look_again();
  ground_.log.info("agents", named(agent_id) + (created ? " is new, through the API" : " has changed through the API: new runs go by revision " + std::to_string(*revision)));
  co_return Done{std::move(member), change};
}

// The revision first: a death in between leaves one that nobody uses, and the agent as it was.
Async<std::expected<std::int64_t, Enrolment::Refusal>> Enrolment::keep(const Member& member, SentAgents::Kept kept, std::string by) {
  using What = event::AgentChanged::What;
  const auto agent_id = member.agent_id;
  const auto before = ground_.engine.roster().find(agent_id);
  const bool created = !ground_.engine.sent().find(agent_id);
  std::vector<port::AgentSpecText> specs = {{agent_id, member.manifest}};
  const auto put = co_await ground_.engine.ledger().put_specs(std::move(specs));
  if (!put) co_return refused_by(put.error());
  const auto revision = put->front().revision;
  std::optional<event::AgentChanged> change;
  if (created || !before || before->revision != revision) change = event::AgentChanged{.what = created ? What::created : What::updated, .revision = revision, .by = std::move(by)};
  const auto document = kept.document;
  auto keeping = ground_.engine.sent().put(agent_id, std::move(kept), std::move(change));
  const auto done = co_await std::move(keeping);
  if (done) co_return revision;
  const auto* now = ground_.engine.sent().find(agent_id);
  const bool is_kept = done.error().fault == port::LedgerFault::unknown_outcome && now && now->document == document;
  if (!is_kept) co_return refused_by(done.error());
  co_return revision;
}

// ---- one that goes

Async<std::expected<void, Enrolment::Refusal>> Enrolment::remove(std::string agent_id, Revision revision, std::string by) {
  const auto turn = co_await ground_.fleet.turn();
  if (auto refused = not_now(agent_id)) co_return std::unexpected(std::move(*refused));
  if (auto refused = belongs_to_a_file(agent_id, "remove that file")) co_return std::unexpected(std::move(*refused));
  const auto* known = ground_.engine.sent().find(agent_id);
  if (!known) co_return refuse(Refusal::Why::unknown_agent, agent_id);
  auto checking = has_moved_on(agent_id, revision);
  if (auto refused = co_await std::move(checking)) co_return std::unexpected(std::move(*refused));
  if (auto refused = is_followed(agent_id)) co_return std::unexpected(std::move(*refused));
  const auto member = ground_.engine.roster().find(agent_id);
  auto leaving = *known;
  leaving.is_leaving = true;
  event::AgentChanged change{.what = event::AgentChanged::What::deleted, .revision = member ? member->revision : 0, .by = std::move(by)};
  auto putting = ground_.engine.sent().put(agent_id, std::move(leaving), std::move(change));
  const auto put = co_await std::move(putting);
  const auto* now = ground_.engine.sent().find(agent_id);
  if (!put && !(now && now->is_leaving)) co_return refused_by(put.error());
  ground_.engine.roster().drop(agent_id);
  auto going = ground_.fleet.leave(agent_id);
  co_await std::move(going);
  ground_.log.info("agents", named(agent_id) + " was deleted through the API");
  auto ending = end_runs(agent_id);
  const bool ended = co_await std::move(ending);
  bool finished = false;
  if (ended) {
    auto freeing = free_name(agent_id);
    finished = co_await std::move(freeing);
  }
  if (!finished) {
    ++finishing_;
    spawn(ground_.world.executor, finish_later(agent_id));
  }
  co_return std::expected<void, Refusal>();
}

// Others have their turn while its runs end.
Async<void> Enrolment::finish_later(std::string agent_id) {
  while (!stopping_.stop_requested()) {
    auto ending = end_runs(agent_id);
    const bool ended = co_await std::move(ending);
    if (ended) {
      const auto turn = co_await ground_.fleet.turn();
      auto freeing = free_name(agent_id);
      const bool finished = co_await std::move(freeing);
      if (finished) break;
    }
    co_await sleep(ground_.world.timers, kTryToFinishAgain, stopping_.get_token());
  }
  --finishing_;
}

// False: it is to be tried again. Each step may be made twice.
Async<bool> Enrolment::free_name(std::string agent_id) {
  auto beginning = begin_anew(agent_id);
  const bool begun = co_await std::move(beginning);
  if (!begun) co_return false;
  auto putting = ground_.engine.sent().put(agent_id, std::nullopt, std::nullopt);
  const auto put = co_await std::move(putting);
  if (!put && ground_.engine.sent().find(agent_id)) co_return false;
  ground_.look_again();
  co_return true;
}

// What is queued, waits or runs is cancelled; one that was on its way into the queue is found by the next look.
Async<bool> Enrolment::end_runs(std::string agent_id) {
  auto& ledger = ground_.engine.ledger();
  for (int look = 0; look < kLooks && !stopping_.stop_requested(); ++look) {
    std::vector<RunId> live;
    for (const auto status : {port::RunStatus::queued, port::RunStatus::waiting, port::RunStatus::running}) {
      port::RunFilter filter{.agent_id = agent_id, .status = status, .limit = kEndedAtOnce};
      const auto rows = co_await ledger.list(std::move(filter));
      if (!rows) co_return false;
      for (const auto& row : *rows) live.push_back(row.run);
    }
    if (live.empty() && ledger.queued(agent_id) == 0 && ledger.running(agent_id) == 0) co_return true;
    std::vector<Async<void>> endings;
    for (const auto& run : live) endings.push_back(end_run(run));
    co_await together(std::move(endings));
    if (live.size() < kEndedAtOnce) co_await sleep(ground_.world.timers, kLookAtRunsAgain, stopping_.get_token());
  }
  co_return false;
}

Async<void> Enrolment::end_run(RunId run) {
  auto cancelling = ground_.engine.worker().cancel(run, "the agent was deleted");
  const auto cancelled = co_await std::move(cancelling);
  if (!cancelled) ground_.log.warn("agents", "run " + to_text(run) + " of a deleted agent could not be cancelled, trying again: " + cancelled.error().message);
}

// Whoever has this name later is neither paused nor near its last failure because of this one, and a native task remembers nothing.
Async<bool> Enrolment::begin_anew(std::string agent_id) {
  const auto spec = co_await ground_.engine.ledger().spec(agent_id, 0);
  if (!spec) co_return false;
  std::vector<port::Cursor> mark = {{removed_cursor(agent_id), *spec ? (*spec)->revision : 0}};
  const auto marked = co_await ground_.engine.ledger().put_cursors(std::move(mark));
  if (!marked) co_return false;
  const auto stats = ground_.engine.ledger().stats(agent_id);
  auto forgetting = ground_.engine.modes().begin_anew(agent_id, stats.consecutive_failures > 0 ? stats.error_count : 0);
  const auto forgotten = co_await std::move(forgetting);
  if (!forgotten) co_return false;
  const auto state = co_await ground_.engine.ledger().agent_state(agent_id);
  if (!state) co_return false;
  if (*state == "null") co_return true;
  port::Transition reset{.agent_id = agent_id, .agent_state = "null"};
  const auto committed = co_await ground_.engine.ledger().commit(std::move(reset));
  co_return committed.has_value();
}

}  // namespace agentd::host
