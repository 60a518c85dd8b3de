// What the ledger on PostgreSQL promises beyond what every ledger does: many replicas on one server, and a server that goes away.
#include <libpq-fe.h>
#include <unistd.h>

#include <set>
#include <thread>

#include "core/plugin/ledger_files.hpp"
#include "tests/conformance/ledger_fixture.hpp"
#include "tests/support/cut_proxy.hpp"

namespace agentd::conformance {
namespace {

using support::CutProxy;
using Kind = Admission::Kind;

LedgerKind postgres_kind() { return ledger_kinds().back(); }

class PostgresLedger : public testing::Test {
 protected:
  std::unique_ptr<OpenLedger> open(const std::string& settings = {}) {
    static std::string given;
    given = settings;
    auto kind = postgres_kind();
    if (!settings.empty()) kind.settings = [](const std::filesystem::path&) { return given; };
    auto ledger = std::make_unique<OpenLedger>(kind, folder_.path());
    if (*ledger) (*ledger)->serve("a", true);
    return ledger;
  }
  std::string settings_through(int port, const std::string& more = R"("clock_skew":"5000d")") const {
    return R"({"url":"postgres://postgres@127.0.0.1:)" + std::to_string(port) + R"(/postgres?sslmode=disable","schema":")" + schema() + "\"," + more + "}";
  }
  std::string schema() const { return folder_.path().filename().string(); }
  // What the first row says, if there is one.
  std::string by_hand(const std::string& sql) {
    PGconn* connection = PQconnectdb(postgres_server().url().c_str());
    PQclear(PQexec(connection, ("SET search_path=\"" + schema() + "\"").c_str()));
    PGresult* result = PQexec(connection, sql.c_str());
    const auto status = PQresultStatus(result);
    EXPECT_TRUE(status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) << PQerrorMessage(connection);
    const std::string first = PQntuples(result) ? PQgetvalue(result, 0, 0) : "";
    PQclear(result);
    PQfinish(connection);
    return first;
  }
  // What is said with a commit, and with nothing else: a keeper that listens again says the channel's name and a quote.
  std::string notice() const { return "agentd_" + schema() + '\0'; }
  // Both go on, in real time, until it is so.
  template <class F>
  static bool soon(std::initializer_list<OpenLedger*> ledgers, F is_so) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!is_so()) {
      if (std::chrono::steady_clock::now() > until) return false;
      for (auto* one : ledgers) one->world().settle();
      std::this_thread::yield();
    }
    return true;
  }
  static Entry wide(OpenLedger& l, std::uint32_t max_concurrent, std::string key = {}) {
    auto e = l.entry("a", std::move(key));
    e.max_concurrent = max_concurrent;
    e.queue_size = 10'000;
    return e;
  }
  static std::vector<Position> fed(const OpenLedger& l) {
    std::vector<Position> all;
    for (const auto& record : l.fed()) all.push_back(record.position);
    return all;
  }
  static std::vector<Position> up_to(Position last) {
    std::vector<Position> all;
    for (Position p = 1; p <= last; ++p) all.push_back(p);
    return all;
  }
  std::vector<std::string> faults() {
    const auto kind = postgres_kind();
    auto& library = library_of(kind.file);
    auto files = plugin::ledger_files({&library, library.component(plugin::Kind::ledger, kind.component)}, kind.settings(folder_.path()));
    std::vector<std::string> found;
    for (const auto& one : (*files)->check().found) found.push_back(std::to_string(one.position) + " " + one.text);
    return found;
  }
  void lose_the_lease() { by_hand("UPDATE workers SET until='-infinity'"); }
  Folder folder_{memory_disk()};
};
using Faults = std::vector<std::string>;

// ---- replicas

TEST_F(PostgresLedger, WhatOneTakesInTheOtherHearsOfAndClaims) {
  const auto one = open(), two = open();
  const auto run = one->enter("a", "k");
  ASSERT_TRUE(soon({two.get()}, [&] { return two->wakes() > 0; }));
  EXPECT_EQ((*two)->queued("a"), 1u);
  EXPECT_EQ((*two)->last_position(), 1);
  const auto claim = two->claim_one();
  EXPECT_EQ(claim.run, run);
  EXPECT_TRUE(one->claim().empty());
  EXPECT_EQ((*one)->running("a"), 1u);
  two->finish(claim, RunStatus::failed, "broke");
  ASSERT_TRUE(soon({one.get()}, [&] { return (*one)->last_position() == 2; }));
  EXPECT_EQ((*one)->stats("a").last_error, "broke");
  EXPECT_EQ(fed(*one), up_to(2));
  EXPECT_EQ(fed(*two), up_to(2));
}

TEST_F(PostgresLedger, AKeyIsTakenOnceWhoeverTakesIt) {
  const auto one = open(), two = open();
  const auto first = one->enter("a", "slot");
  const auto again = two->enter(two->entry("a", "slot"));
  EXPECT_EQ(again.kind, Kind::duplicate);
  EXPECT_EQ(again.run, first);
}

TEST_F(PostgresLedger, OverlapAndBoundsSeeRunsOfAllReplicas) {
  const auto one = open(), two = open();
  auto e = one->entry("a");
  e.queue_size = 1;
  one->enter(e);
  EXPECT_EQ(two->enter(e).kind, Kind::full);
  e.overlap = Overlap::skip;
  EXPECT_EQ(two->enter(e).kind, Kind::skipped);
  EXPECT_EQ(one->claim().size(), 1u);
  EXPECT_EQ(two->enter(wide(*two, 1)).kind, Kind::accepted);
  EXPECT_TRUE(two->claim().empty()) << "one at once, wherever";
}

TEST_F(PostgresLedger, OnlyWhoHoldsARunWritesItsRecords) {
  const auto one = open(), two = open();
  one->enter("a");
  const auto claim = one->claim_one();
  auto foreign = two->step(claim);
  foreign.generation += 1;
  EXPECT_EQ(two->run((*two)->commit(foreign)).error().fault, LedgerFault::stale);
  Transition cancel{.run = claim.run, .next = RunStatus::cancelled};
  cancel.records = {{9, "{}"}};
  EXPECT_EQ(two->run((*two)->commit(cancel)).error().fault, LedgerFault::stale) << "it is in flight";
  one->finish(claim);
}

TEST_F(PostgresLedger, ALimitHoldsOverAllReplicas) {
  const auto one = open(), two = open();
  one->enter(wide(*one, 9)), one->enter(wide(*one, 9));
  const auto first = one->claim_one();
  ASSERT_TRUE(soon({two.get()}, [&] { return two->wakes() > 0; }));
  const auto second = two->claim_one();
  const auto hold = [](OpenLedger& l, const Claim& claim, std::int64_t tokens) {
    auto t = l.step(claim);
    t.holds = {{"host", 5, 1, {tokens, 0}, {100, 0}}};
    return l.run(l->commit(std::move(t))).has_value();
  };
  EXPECT_TRUE(hold(*one, first, 70));
  EXPECT_FALSE(hold(*two, second, 31));
  EXPECT_TRUE(hold(*two, second, 30));
  auto settle = one->step(first, "{}", RunStatus::completed);
  settle.settles = {{1, Spend{60, 0}}};
  one->commit(std::move(settle));
  ASSERT_TRUE(soon({two.get()}, [&] { return (*two)->account("host", 5).spent.tokens == 60; }));
  EXPECT_EQ((*two)->account("host", 5).held.tokens, 30);
  EXPECT_EQ(faults(), Faults());
}

TEST_F(PostgresLedger, WhatADeadWorkerHeldIsTakenOverWithItsDeathCounted) {
  const auto one = open();
  one->enter("a");
  const auto lost = one->claim_one();
  auto held = one->step(lost);
  held.holds = {{"host", 5, 1, {7, 0}, {}}};
  one->commit(std::move(held));
  EXPECT_TRUE(open()->claim().empty()) << "its lease goes on";
  lose_the_lease();
  const auto two = open();
  EXPECT_EQ((*two)->account("host", 5).spent.tokens, 7);
  const auto taken = two->claim_one();
  EXPECT_EQ(taken.run, lost.run);
  EXPECT_EQ(taken.deaths, 1);
  EXPECT_TRUE(taken.has_records);
  EXPECT_GT(taken.generation, lost.generation);
  // The one that was taken for dead heals by itself.
  EXPECT_EQ(one->run((*one)->commit(one->step(lost))).error().fault, LedgerFault::stale);
  two->finish(taken);
  one->enter("a");
  EXPECT_EQ(one->claim().size(), 1u);
  EXPECT_EQ(by_hand("SELECT count(*) FROM workers"), "2");
  EXPECT_EQ(faults(), Faults());
}

TEST_F(PostgresLedger, AClaimIsKnownToBeLostOnceOthersHaveTakenIt) {
  const auto one = open();
  one->enter("a");
  const auto claim = one->claim_one();
  EXPECT_EQ(one->sharing().claim_state(claim.run, claim.generation), ClaimState::held);
  EXPECT_EQ(one->sharing().claim_state(claim.run, claim.generation + 1), ClaimState::lost);
  lose_the_lease();
  const auto two = open();
  const auto taken = two->claim_one();
  one->enter("b");  // it hears of it, and joins anew
  EXPECT_EQ(one->sharing().claim_state(claim.run, claim.generation), ClaimState::lost);
  EXPECT_EQ(two->sharing().claim_state(taken.run, taken.generation), ClaimState::held);
}

TEST_F(PostgresLedger, ALeaseIsOnesUntilItLeavesOrDies) {
  const auto one = open(), two = open();
  const auto lease = [](OpenLedger& l, std::vector<std::string> names) { return l.get(l.sharing().lease(std::move(names))); };
  const auto first = lease(*one, {"alerts", "prune"});
  ASSERT_EQ(first.size(), 2u);
  EXPECT_NE(first[0], 0u);
  EXPECT_EQ(lease(*one, {"alerts"})[0], first[0]) << "it is held already";
  const auto second = lease(*two, {"prune", "events:copy", "alerts"});
  EXPECT_EQ(std::vector({second[0], second[2]}), (std::vector<std::uint64_t>{0, 0}));
  EXPECT_NE(second[1], 0u);
  by_hand("UPDATE workers SET until='-infinity' WHERE id=(SELECT worker FROM leases WHERE name='alerts')");
  const auto taken = lease(*two, {"alerts"})[0];
  EXPECT_GT(taken, first[0]);
  EXPECT_EQ(lease(*one, {"alerts", "prune"})[0], 0u);
  EXPECT_EQ(faults(), Faults());
}

TEST_F(PostgresLedger, WhoHasLostALeaseWritesNothingUnderIt) {
  const auto one = open(), two = open();
  const auto lease = [](OpenLedger& l) { return Fence{"alerts", l.get(l.sharing().lease({"alerts"}))[0]}; };
  const auto mine = lease(*one);
  Transition told{.agent_id = "a", .records = {{9, "{}"}}, .fence = mine};
  one->commit(told);
  one->get((*one)->put_cursors({{"alerts", 1, mine}}));
  EXPECT_EQ(two->run((*two)->commit(told)).error().fault, LedgerFault::stale) << "it is not its own";
  by_hand("UPDATE workers SET until='-infinity' WHERE id=(SELECT worker FROM leases)");
  const auto theirs = lease(*two);
  two->get((*two)->put_cursors({{"alerts", 7, theirs}}));
  EXPECT_EQ(one->run((*one)->commit(told)).error().fault, LedgerFault::stale);
  EXPECT_EQ(one->run((*one)->put_cursors({{"x", 1}, {"alerts", 2, mine}})).error().fault, LedgerFault::stale);
  EXPECT_EQ(one->run(one->upkeep().prune({.before = one->world().now(), .fence = mine})).error().fault, LedgerFault::stale);
  EXPECT_EQ(one->get((*one)->cursors({"alerts", "x"})), (std::vector<Position>{7, 0}));
  EXPECT_EQ((*two)->last_position(), 1);
  const auto stale = mine;
  by_hand("UPDATE workers SET until='-infinity' WHERE id=(SELECT worker FROM leases)");
  const auto again = lease(*one);
  EXPECT_GT(again.generation, theirs.generation);
  EXPECT_EQ(one->run((*one)->put_cursors({{"alerts", 2, stale}})).error().fault, LedgerFault::stale) << "it is of its earlier tenure";
  one->get((*one)->put_cursors({{"alerts", 9, again}}));
  EXPECT_EQ(faults(), Faults());
}

TEST_F(PostgresLedger, WhoSharesItIsListedWithWhatItDoesForAll) {
  const auto one = open(), two = open();
  EXPECT_TRUE(one->sharing().is_shared());
  one->get(one->sharing().lease({"prune", "alerts"}));
  const auto all = two->get(two->sharing().sessions());
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].leases, (std::vector<std::string>{"alerts", "prune"}));
  EXPECT_TRUE(all[1].leases.empty());
  EXPECT_EQ(std::vector({all[0].is_this, all[1].is_this}), (std::vector{false, true}));
  for (const auto& each : all) {
    EXPECT_EQ(each.process, ::getpid());
    EXPECT_FALSE(each.host.empty());
    EXPECT_FALSE(each.version.empty());
    EXPECT_LT(each.lease_age, Millis(15'000));
  }
}

TEST_F(PostgresLedger, WhatOthersWroteIsFedAsTheirs) {
  const auto one = open(), two = open();
  one->enter("a");
  ASSERT_TRUE(soon({two.get()}, [&] { return two->fed().size() == 1; }));
  EXPECT_FALSE(one->fed()[0].elsewhere);
  EXPECT_TRUE(two->fed()[0].elsewhere);
  EXPECT_EQ((*one)->vitals().records, 1u);
  EXPECT_EQ((*two)->vitals().records, 0u);
}

TEST_F(PostgresLedger, AReplicaThatLivesTakesOverByItself) {
  const auto two = open();
  int wakes = 0;
  {
    const auto one = open();
    one->enter("a");
    one->claim_one();
    ASSERT_TRUE(soon({two.get()}, [&] { return (*two)->running("a") == 1; }));
    wakes = two->wakes();
  }
  ASSERT_TRUE(soon({two.get()}, [&] { return two->wakes() > wakes; }));
  EXPECT_EQ(two->claim_one().deaths, 1);
}

TEST_F(PostgresLedger, AReplicaThatHeardNothingForLongReadsEverythingAnew) {
  const auto one = open();
  const auto two = open();
  for (int i = 0; i < 3; ++i) one->enter(wide(*one, 9));
  const auto claims = one->claim();
  one->commit(one->step(claims[0]));
  one->finish(claims[1]);
  by_hand("DELETE FROM groups");
  const auto four = two->enter(wide(*two, 9)).run;
  EXPECT_EQ(fed(*two), up_to(four.position));
  EXPECT_EQ((*two)->running("a"), 2u);
  EXPECT_EQ(two->claim_one().run, four);
}

TEST_F(PostgresLedger, EightWritersLoseNothingAndRepeatNothing) {
  open();
  constexpr int kReplicas = 8, kRuns = 40;
  std::vector<std::thread> threads;
  std::vector<std::set<Position>> finished(kReplicas);
  std::vector<std::vector<Position>> heard(kReplicas);
  for (int replica = 0; replica < kReplicas; ++replica)
    threads.emplace_back([&, replica] {
      OpenLedger l(postgres_kind(), folder_.path());
      if (!l) {
        ADD_FAILURE() << l.error();
        return;
      }
      l->serve("a", true);
      const auto begin = l->last_position();
      for (int i = 0; i < kRuns; ++i) {
        l.enter(wide(l, 5, "slot" + std::to_string(i)));  // each of them wants to
        for (const auto& claim : l.claim(2)) {
          l.commit(l.step(claim));
          l.finish(claim);
          finished[static_cast<std::size_t>(replica)].insert(claim.run.position);
        }
      }
      for (Position last = begin; const auto& record : l.fed()) {
        EXPECT_EQ(record.position, last + 1);
        last = record.position;
      }
    });
  for (auto& thread : threads) thread.join();
  const auto rest = open();
  std::size_t count = 0;
  std::set<Position> all;
  for (const auto& some : finished) count += some.size(), all.insert(some.begin(), some.end());
  EXPECT_EQ(count, all.size()) << "no run was finished twice";
  const auto left = rest->claim(1000).size();
  EXPECT_EQ(all.size() + left, static_cast<std::size_t>(kRuns));
  EXPECT_EQ(rest->events().size(), static_cast<std::size_t>(kRuns) + 2 * all.size());
  EXPECT_EQ((*rest)->last_position(), static_cast<Position>(rest->events().size()));
  EXPECT_EQ(faults(), Faults());
}

// ---- a line that is cut, and a server that goes away

TEST_F(PostgresLedger, ACommitWhoseAnswerWasLostIsLookedUp) {
  CutProxy proxy(postgres_server().port());
  const auto l = open(settings_through(proxy.port()));
  ASSERT_TRUE(*l) << l->error();
  l->enter(wide(*l, 9, "before"));
  ASSERT_TRUE(soon({}, [&] { return by_hand("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%FROM workers WHERE (until=%' AND pid<>pg_backend_pid()") != "0"; })) << "it listens";
  for (const auto cut : {CutProxy::Cut::behind, CutProxy::Cut::before}) {
    const auto key = cut == CutProxy::Cut::behind ? "happened" : "did not";
    const auto other = open();  // so that there is somebody to notify, with the commit
    proxy.cut_at(notice(), cut);
    const auto answer = l->run((*l)->enqueue({wide(*l, 9, key)}));
    if (cut == CutProxy::Cut::behind) {
      ASSERT_TRUE(answer) << answer.error().message;
      EXPECT_EQ(answer->at(0).kind, Kind::accepted);
      EXPECT_EQ(by_hand("SELECT count(*) FROM runs WHERE key='happened'"), "1");
    } else {
      ASSERT_FALSE(answer);
      EXPECT_EQ(answer.error().fault, LedgerFault::unavailable);
      EXPECT_EQ(by_hand("SELECT count(*) FROM runs WHERE key='did not'"), "0");
    }
  }
  const auto again = [&] { return l->run((*l)->enqueue({wide(*l, 9, "did not")})); };
  ASSERT_TRUE(soon({l.get()}, [&] { return again().has_value(); }));
  EXPECT_EQ(fed(*l), up_to((*l)->last_position()));
  EXPECT_EQ(l->claim().size(), 3u);
  EXPECT_EQ(faults(), Faults());
}

TEST_F(PostgresLedger, WhatCannotBeLookedUpIsOfUnknownOutcomeAndIsMetLater) {
  CutProxy proxy(postgres_server().port());
  const auto l = open(settings_through(proxy.port()));
  ASSERT_TRUE(*l) << l->error();
  const auto other = open();  // so that there is somebody to notify, with the commit
  (*other)->serve("a", false);
  ASSERT_TRUE(soon({}, [&] { return by_hand("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%FROM workers WHERE (until=%' AND pid<>pg_backend_pid()") == "2"; })) << "both listen";
  const auto lose = [&](auto what) {
    proxy.cut_at(notice(), CutProxy::Cut::behind_and_refuse);
    what();
    proxy.refuse(false);
  };
  lose([&] {
    const auto answer = l->run((*l)->enqueue({wide(*l, 9, "k")}));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().fault, LedgerFault::unknown_outcome);
  });
  std::optional<LedgerResult<std::vector<Admission>>> again;
  ASSERT_TRUE(soon({l.get()}, [&] { return (again = l->run((*l)->enqueue({wide(*l, 9, "k")})))->has_value(); }));
  EXPECT_EQ((**again)[0].kind, Kind::duplicate);
  lose([&] { EXPECT_TRUE(l->claim().empty()) << "nobody knows whether they were given"; });
  EXPECT_EQ(by_hand("SELECT count(*) FROM runs WHERE generation<>0"), "1");
  std::vector<Claim> claims;
  ASSERT_TRUE(soon({l.get()}, [&] { return !(claims = l->claim()).empty(); }));
  EXPECT_EQ(claims[0].deaths, 0) << "nobody died over it";
  l->finish(claims[0]);
  EXPECT_EQ(fed(*l), up_to((*l)->last_position()));
  EXPECT_EQ(faults(), Faults());
}

TEST_F(PostgresLedger, AServerThatGoesAwayRefusesAndWhatWasKeptIsThereWhenItComesBack) {
  support::PostgresServer server({});
  const auto l = open(settings_through(server.port()));
  ASSERT_TRUE(*l) << l->error();
  const auto run = l->enter("a", "k");
  const auto claim = l->claim_one();
  l->commit(l->step(claim));
  server.crash();
  for (int i = 0; i < 3; ++i) {
    const auto refused = l->run((*l)->commit(l->step(claim)));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, LedgerFault::unavailable);
  }
  EXPECT_FALSE(l->run((*l)->load(run)));
  EXPECT_TRUE(l->claim().empty());
  server.start();
  ASSERT_TRUE(soon({l.get()}, [&] { return l->run((*l)->commit(l->step(claim))).has_value(); }));
  EXPECT_EQ(l->get((*l)->load(run)).size(), 3u);
  l->finish(claim);
}

// ---- what it is told

TEST_F(PostgresLedger, AClockThatDisagreesTakesNothingInAndSaysSo) {
  const auto l = open(settings_through(postgres_server().port(), R"("clock_skew":"5s")"));
  ASSERT_TRUE(*l) << l->error();
  ASSERT_TRUE(soon({l.get()}, [&] {
    const auto answer = l->run((*l)->enqueue({l->entry("a")}));
    return !answer && answer.error().fault == LedgerFault::unavailable;
  }));
  EXPECT_TRUE(l->claim().empty());
  EXPECT_NE(l->log().find("the database server's: nothing is taken in and nothing begins here until they agree"), std::string::npos) << l->log();
}

TEST_F(PostgresLedger, RefusesTablesThatAreNewerThanItself) {
  open();
  by_hand("UPDATE schema_versions SET version=99");
  const auto ledger = open();
  ASSERT_FALSE(*ledger);
  EXPECT_NE(ledger->error().find("have version 99, and this agentd knows up to 2; they were made by a newer agentd"), std::string::npos) << ledger->error();
  EXPECT_EQ(faults().size(), 1u);
}

TEST_F(PostgresLedger, SaysNoPasswordWhateverIsWrongWithTheUrl) {
  for (const std::string url : {"postgres://u:hunter2@host:port/d", "postgres://u:hunter2@127.0.0.1:1/d", "postgres://u:hunter2@[::1/d", "password=hunter2 bad", "hunter2"}) {
    const auto ledger = open(R"({"url":")" + url + "\"}");
    ASSERT_FALSE(*ledger) << url;
    EXPECT_EQ(ledger->error().find("hunter2"), std::string::npos) << ledger->error();
    EXPECT_EQ(ledger->log().find("hunter2"), std::string::npos) << ledger->log();
  }
}

TEST_F(PostgresLedger, IsBackedUpByTheServersOwnTools) {
  const auto l = open();
  const auto made = l->run(l->upkeep().backup("/tmp/copy"));
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("use pg_dump --schema=" + schema()), std::string::npos) << made.error().message;
}

TEST_F(PostgresLedger, DamageIsFoundAndLeftOut) {
  const auto l = open();
  const auto run = l->enter("a");
  const auto claim = l->claim_one();
  l->commit(l->step(claim));
  l->finish(claim);
  by_hand("UPDATE records SET payload='[]' WHERE position=2");
  EXPECT_EQ(faults(), (Faults{"2 the record is damaged: its checksum does not fit"}));
  EXPECT_EQ(l->events().size(), 2u);
  EXPECT_EQ(l->run((*l)->load(run)).error().fault, LedgerFault::corrupt);
  by_hand("DELETE FROM records WHERE position=2");
  EXPECT_EQ(faults(), (Faults{"3 the record before it, at position 2, is missing", "0 of the positions that are not there (2) 1 were never removed: rows are missing"}));
}

}  // namespace
}  // namespace agentd::conformance
