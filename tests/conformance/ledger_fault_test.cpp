// The disk fails, or the machine dies, at every single thing that a ledger does to its files, one after the other. Afterwards nothing
// that was acknowledged is missing, nothing that was refused is there, and nothing is there by half.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <numeric>
#include <set>

#include "core/plugin/ledger_files.hpp"
#include "tests/conformance/faulty_vfs.hpp"
#include "tests/conformance/ledger_fixture.hpp"

namespace agentd::conformance {
namespace {

// What the workload writes down of what it was told, where a death cannot take it.
class Witness {
 public:
  explicit Witness(const std::filesystem::path& file) : out_(file, std::ios::app) {}
  void say(const std::string& verdict, const std::string& tag) { out_ << verdict << ' ' << tag << std::endl; }

 private:
  std::ofstream out_;
};

struct Told {
  std::set<std::string> kept, refused;
};
Told told(const std::filesystem::path& file) {
  Told all;
  std::ifstream in(file);
  for (std::string verdict, tag; in >> verdict >> tag;) {  // the same key may be asked for again
    const bool kept = verdict == "kept" || all.kept.contains(tag);
    if (kept) all.refused.erase(tag);
    (kept ? all.kept : all.refused).insert(tag);
  }
  return all;
}

// Every kind of write there is. Each transition is three records, a state, a hold, a raise and a run that follows: all of it or nothing.
class Workload {
 public:
  Workload(OpenLedger& ledger, Witness& witness) : l_(ledger), witness_(witness) {}

  void run() {
    l_->serve("a", true);
    l_->serve("b", true);
    specs("spec1");
    enter({"e1", "e2", "e3"});
    for (int round = 0; round < 2; ++round) {
      step(claim(), "t" + std::to_string(round), {});
      step(claim(), "w" + std::to_string(round), RunStatus::waiting);
      step(claim(), "c" + std::to_string(round), RunStatus::completed);
      enter({"e1", "round" + std::to_string(round)});
      if (round == 0) quarantine(claim(), std::to_string(round));
      if (round == 1) give_up(claim(), std::to_string(round));
      together(round);
    }
    specs("spec2");
  }

 private:
  void note(const std::string& tag, bool kept) { witness_.say(kept ? "kept" : "refused", tag); }
  Entry tagged(const std::string& tag) {
    auto e = l_.entry("a", tag);
    e.max_concurrent = 100;
    e.payload = tag;
    return e;
  }
  void enter(const std::vector<std::string>& tags) {
    std::vector<Entry> entries;
    for (const auto& tag : tags) entries.push_back(tagged(tag));
    const auto done = l_.run(l_->enqueue(std::move(entries)));
    for (std::size_t i = 0; i < tags.size(); ++i)
      if (!done || (*done)[i].kind == Admission::Kind::accepted) note(tags[i], done.has_value());
  }
  std::optional<Claim> claim() {
    auto claims = l_.claim(1);
    if (claims.empty()) return std::nullopt;
    return std::move(claims[0]);
  }
  Transition transition(const Claim& claim, const std::string& tag, std::optional<RunStatus> next) {
    auto t = l_.step(claim, tag + ".1", next);
    t.records.push_back({1, tag + ".2"});
    t.records.push_back({2, tag + ".big" + std::string(6000, 'x')});
    t.agent_state = "\"" + tag + "\"";
    t.follow_ups = {tagged(tag + ".f")};
    t.holds = {{"held", 1, 1, {1, 1}, {}}};
    t.raises = {{"raised", 1, {1, 1}}};
    return t;
  }
  void step(const std::optional<Claim>& claim, const std::string& tag, std::optional<RunStatus> next) {
    if (claim) note(tag, l_.run(l_->commit(transition(*claim, tag, next))).has_value());
  }
  // Ended in quarantine, changed there, and let begin again: two records and a run that follows, each time.
  void quarantine(const std::optional<Claim>& claim, const std::string& round) {
    if (!claim) return;
    const auto ended = l_.run(l_->commit(transition(*claim, "q" + round, RunStatus::quarantined)));
    note("q" + round, ended.has_value());
    if (!ended) return;
    const auto edited = review(*claim, *ended + 2, "m" + round, {});
    if (edited) review(*claim, *edited + 1, "r" + round, RunStatus::queued);
  }
  // Ended in quarantine and given up there: two records and a run that follows, and it never runs again.
  void give_up(const std::optional<Claim>& claim, const std::string& round) {
    if (!claim) return;
    const auto ended = l_.run(l_->commit(transition(*claim, "q" + round, RunStatus::quarantined)));
    note("q" + round, ended.has_value());
    if (ended) review(*claim, *ended + 2, "d" + round, RunStatus::dropped);
  }
  std::optional<Position> review(const Claim& claim, Position latest, const std::string& tag, std::optional<RunStatus> next) {
    Transition t{.run = claim.run, .next = next, .due_at = l_.world().now(), .in_quarantine = latest};
    t.records = {{30, tag + ".a"}, {30, tag + ".b"}};
    t.follow_ups = {tagged(tag + ".g")};
    const auto done = l_.run(l_->commit(std::move(t)));
    note(tag + ".a", done.has_value());
    return done ? std::optional(*done) : std::nullopt;
  }
  void together(int round) {
    std::vector<Async<LedgerResult<Position>>> stories;
    std::vector<std::string> tags;
    while (const auto one = claim()) {
      tags.push_back("g" + std::to_string(round) + "." + std::to_string(tags.size()));
      stories.push_back(l_->commit(transition(*one, tags.back(), RunStatus::failed)));
    }
    const auto done = l_.together(std::move(stories));
    for (std::size_t i = 0; i < tags.size(); ++i) note(tags[i], done[i].has_value());
  }
  // Of three agents and two cursors: all of them or none.
  void specs(const std::string& tag) {
    note(tag, l_.run(l_->put_specs({{"a", tag}, {"b", tag}, {"new-with-" + tag, tag}})).has_value());
    note(tag + "-cursors", l_.run(l_->put_cursors({{"x", tag.back()}, {"y", tag.back()}})).has_value());
  }

  OpenLedger& l_;
  Witness& witness_;
};

class LedgerFaults : public testing::TestWithParam<LedgerKind> {
 protected:
  // The workload in a process of its own, that may die. How many operations it took, or -1.
  void suffer(Fault fault) {
    const auto child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      std::freopen("/dev/null", "w", stderr);  // a failed fsync says so before it ends the process
      arm(fault);
      {
        OpenLedger ledger(GetParam(), folder_->path());
        if (ledger) {
          Witness witness(folder_->path() / "witness");
          work(ledger, witness);
        }
      }
      std::ofstream(folder_->path() / "operations") << operations();
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    const bool expected = WIFEXITED(status) ? WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == kDied : WTERMSIG(status) == SIGABRT;
    EXPECT_TRUE(expected) << "the process ended with " << status;
  }
  virtual void work(OpenLedger& ledger, Witness& witness) { Workload(ledger, witness).run(); }
  int operations_of_all() {
    suffer({});
    int count = 0;
    std::ifstream(folder_->path() / "operations") >> count;
    return count;
  }

  virtual void check() {
    arm({});
    OpenLedger ledger(GetParam(), folder_->path());
    ASSERT_TRUE(ledger) << ledger.error();
    const auto events = ledger.events();
    std::set<std::string> there;
    Position expected = 1;
    for (const auto& e : events) {
      EXPECT_EQ(e.position, expected++);
      there.insert(e.payload.substr(0, e.payload.find('x')));
    }
    const auto has = [&](const std::string& tag) { return there.contains(tag); };
    const auto said = told(folder_->path() / "witness");
    for (const auto& tag : said.kept) EXPECT_TRUE(has(tag) || has(tag + ".1") || tag.starts_with("spec")) << tag << " was acknowledged and is lost";
    for (const auto& tag : said.refused) EXPECT_FALSE(has(tag) || has(tag + ".1")) << tag << " was refused and is there";
    for (const auto& tag : there) {
      if (tag.ends_with(".a")) EXPECT_TRUE(has(tag.substr(0, 2) + ".b") && has(tag.substr(0, 2) + ".g")) << tag << " is there by half";
      if (!tag.ends_with(".1")) continue;
      const auto stem = tag.substr(0, tag.size() - 2);
      EXPECT_TRUE(has(stem + ".2") && has(stem + ".big") && has(stem + ".f")) << stem << " is there by half";
    }
    const auto transitions = std::ranges::count_if(there, [](const std::string& tag) { return tag.ends_with(".1"); });
    check_accounts(ledger, transitions);
    check_specs(ledger, said);
    check_runs(ledger, events);
    check_goes_on(ledger);
  }
  // Each transition held one and raised by one; nobody holds anything now.
  void check_accounts(OpenLedger& ledger, std::int64_t transitions) {
    EXPECT_EQ(ledger->account("held", 1).held, Spend{});
    EXPECT_EQ(ledger->account("held", 1).spent, (Spend{transitions, transitions}));
    EXPECT_EQ(ledger->account("raised", 1).raised, (Spend{transitions, transitions}));
  }
  void check_specs(OpenLedger& ledger, const Told& said) {
    const auto content = [&](const std::string& agent, std::int64_t revision) {
      const auto spec = ledger.get(ledger->spec(agent, revision));
      return spec ? spec->content : "";
    };
    for (const auto revision : {1, 2}) EXPECT_EQ(content("a", revision), content("b", revision));
    for (const std::string tag : {"spec1", "spec2"}) {
      const bool there = content("new-with-" + tag, 0) == tag;
      EXPECT_EQ(there, content("a", 1) == tag || content("a", 2) == tag) << tag << " is there by half";
      if (said.kept.contains(tag)) EXPECT_TRUE(there) << tag << " was acknowledged and is lost";
      if (said.refused.contains(tag)) EXPECT_FALSE(there) << tag << " was refused and is there";
    }
    const auto cursors = ledger.get(ledger->cursors({"x", "y"}));
    EXPECT_EQ(cursors[0], cursors[1]);
    if (said.kept.contains("spec2-cursors")) EXPECT_EQ(cursors[0], '2');
  }
  // A run's row says what its records say.
  void check_runs(OpenLedger& ledger, const std::vector<StoredRecord>& events) {
    std::map<Position, std::string> last;
    for (const auto& e : events)
      if (e.run) last[e.run.position] = e.payload;
    RunFilter all;
    all.limit = 1000;
    for (const auto& row : ledger.get(ledger->list(all))) {
      const auto& payload = row.last == row.run.position ? row.payload : row.last_payload;
      EXPECT_EQ(payload, last[row.run.position]);
      const char kind = payload.find(".big") == std::string::npos ? 'e' : payload[0];
      const bool dropped = payload.starts_with("d") && payload.ends_with(".b");
      const bool ended = kind == 'c' || kind == 'g' || kind == 'q' || (payload.starts_with("m") && payload.ends_with(".b")) || dropped;
      EXPECT_EQ(is_final(row.status), ended) << payload.substr(0, 10) << " is " << name(row.status);
      EXPECT_EQ(row.status == RunStatus::dropped, dropped) << payload.substr(0, 10) << " is " << name(row.status);
      if (kind == 'w') EXPECT_TRUE(row.status == RunStatus::waiting) << name(row.status);
      EXPECT_FALSE(ledger.get(ledger->load(row.run)).empty());
    }
  }
  void check_goes_on(OpenLedger& ledger) {
    RunFilter dropped;
    dropped.status = RunStatus::dropped;
    const auto given_up = ledger.get(ledger->list(dropped));
    ledger->serve("a", true);
    ledger.enter("a");
    for (auto claims = ledger.claim(); !claims.empty(); claims = ledger.claim())
      for (const auto& claim : claims) {
        EXPECT_EQ(std::ranges::count(given_up, claim.run, &RunRow::run), 0) << "a run that was given up runs again";
        ledger.finish(claim);
      }
    EXPECT_EQ(ledger->queued("a"), 0u);
    EXPECT_EQ(ledger.events().size(), static_cast<std::size_t>(ledger->last_position()));
  }
  void everywhere(Fault::Kind kind) {
    folder_ = std::make_unique<Folder>(memory_disk());
    const int count = operations_of_all();
    ASSERT_GT(count, 50);
    check();
    for (int n = 1; n <= count && !HasFailure(); ++n) {
      folder_ = std::make_unique<Folder>(memory_disk());
      suffer({kind, n});
      SCOPED_TRACE("at operation " + std::to_string(n) + " of " + std::to_string(count));
      check();
    }
  }
  std::unique_ptr<Folder> folder_;
};
INSTANTIATE_TEST_SUITE_P(Ledgers, LedgerFaults, testing::ValuesIn(embedded_ledger_kinds()), [](const auto& info) { return std::string(info.param.name); });

TEST_P(LedgerFaults, AnIoErrorAnywhere) { everywhere(Fault::Kind::io_error); }
TEST_P(LedgerFaults, AFullDiskAnywhere) { everywhere(Fault::Kind::disk_full); }
TEST_P(LedgerFaults, DeathAnywhere) { everywhere(Fault::Kind::death); }
TEST_P(LedgerFaults, PowerLossAnywhere) { everywhere(Fault::Kind::power_loss); }
TEST_P(LedgerFaults, PowerLossWithTornWritesAnywhere) { everywhere(Fault::Kind::power_loss_torn); }

// The same while runs are removed: each is whole or gone, and what was said to be gone is.
class UpkeepFaults : public LedgerFaults {
 protected:
  void work(OpenLedger& l, Witness& witness) override {
    l->serve("a", true);
    for (int i = 0; i < 4; ++i) end_one(l, witness, i == 2 ? RunStatus::quarantined : RunStatus::completed);
    l.world().jump(kHour);
    const auto young = end_one(l, witness, RunStatus::completed);
    for (int steps = 0; steps < 20; ++steps) {
      const auto step = l.run(l.upkeep().prune({.before = l.world().now() - kHour / 2, .most = 3}));
      if (step && step->more) continue;
      if (step) witness.say("kept", "pruned");
      break;
    }
    if (young && l.run(l.upkeep().forget(*young))) witness.say("kept", "forgotten");
  }
  void check() override {
    arm({});
    const auto said = told(folder_->path() / "witness");
    OpenLedger ledger(GetParam(), folder_->path());
    ASSERT_TRUE(ledger) << ledger.error();
    EXPECT_EQ(damage(), "");
    const auto rows = ledger.get(ledger->list({.agent_id = "a"}));
    for (const auto& row : rows)
      if (is_final(row.status)) EXPECT_EQ(ledger.get(ledger->load(row.run)).size(), 3u) << "a run is there by half";
    EXPECT_EQ(ledger.events().size(), std::accumulate(rows.begin(), rows.end(), std::size_t{0}, [&](std::size_t sum, const RunRow& row) { return sum + ledger.get(ledger->load(row.run)).size(); }));
    if (said.kept.contains("forgotten")) EXPECT_FALSE(std::ranges::any_of(rows, [&](const RunRow& row) { return row.entered_at >= ledger.world().now() + kHour; }));
    const auto old = std::ranges::count_if(rows, [&](const RunRow& row) { return row.status == RunStatus::completed && row.entered_at < ledger.world().now() + kHour; });
    if (said.kept.contains("pruned")) EXPECT_EQ(old, 0);
    for (bool more = true; more;) more = ledger.get(ledger.upkeep().prune({.before = ledger.world().now() + kHour * 9, .most = 3})).more;
    EXPECT_EQ(damage(), "");
    for (const auto& row : ledger.get(ledger->list({.agent_id = "a"}))) EXPECT_NE(row.status, RunStatus::completed);
    const auto before = ledger->last_position();
    EXPECT_EQ(ledger.enter("a").position, before + 1);
  }

 private:
  static constexpr Millis kHour{3'600'000};
  std::optional<RunId> end_one(OpenLedger& l, Witness& witness, RunStatus status) {
    std::vector<Entry> entries = {l.entry("a")};
    entries.front().max_concurrent = 100;
    if (!l.run(l->enqueue(std::move(entries)))) return std::nullopt;
    const auto claims = l.claim(1);
    if (claims.empty()) return std::nullopt;
    auto end = l.step(claims[0], "\"" + std::string(6000, 'x') + "\"", status);
    end.records.push_back({2, "{}"});
    if (!l.run(l->commit(std::move(end)))) return std::nullopt;
    witness.say("kept", "run" + to_text(claims[0].run));
    return claims[0].run;
  }
  std::string damage() {
    const auto& kind = GetParam();
    auto& library = library_of(kind.file);
    auto files = plugin::ledger_files({&library, library.component(plugin::Kind::ledger, kind.component)}, kind.settings(folder_->path()));
    std::string all;
    for (const auto& one : (*files)->check().found) all += std::to_string(one.position) + " " + one.text + "; ";
    return all;
  }
};
INSTANTIATE_TEST_SUITE_P(Ledgers, UpkeepFaults, testing::ValuesIn(embedded_ledger_kinds()), [](const auto& info) { return std::string(info.param.name); });

TEST_P(UpkeepFaults, AnIoErrorAnywhere) { everywhere(Fault::Kind::io_error); }
TEST_P(UpkeepFaults, AFullDiskAnywhere) { everywhere(Fault::Kind::disk_full); }
TEST_P(UpkeepFaults, DeathAnywhere) { everywhere(Fault::Kind::death); }
TEST_P(UpkeepFaults, PowerLossAnywhere) { everywhere(Fault::Kind::power_loss); }
TEST_P(UpkeepFaults, PowerLossWithTornWritesAnywhere) { everywhere(Fault::Kind::power_loss_torn); }

}  // namespace
}  // namespace agentd::conformance
