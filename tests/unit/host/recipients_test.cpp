// Who is told of an end, whatever has become of the agent since the run came in.
#include "host/recipients.hpp"

#include <gtest/gtest.h>

#include "tests/support/bench/bench.hpp"

namespace agentd::host {
namespace {

using namespace std::chrono_literals;
using namespace support;
using port::RunStatus;

struct GoneAgent {
  Members nobody;
  support::Bench bench{{.answers = {say("done")},
                        .spec = [](auto& spec) { spec.deliver = {{.sinks = {"ops"}, .on = {"completed", "cancelled"}}}; },
                        .recipients = [this](const run::RunEnd& end) { return recipients(nobody, end); }}};
  std::vector<std::string> told(RunId run) const {
    std::vector<std::string> sinks;
    for (const auto& ended : bench.records<event::Ended>(run))
      for (const auto& recipient : ended.deliver) sinks.push_back(recipient.sink);
    return sinks;
  }
};

TEST(Recipients, OfARunAreThoseOfItsOwnRevisionAlsoWhereItsAgentIsGone) {
  GoneAgent gone;
  const auto run = gone.bench.ask();
  EXPECT_EQ(gone.bench.until_end(run).status, RunStatus::completed);
  EXPECT_EQ(gone.told(run), std::vector<std::string>{"ops"});
}

TEST(Recipients, OfARunThatIsCancelledInTheQueueAreThoseOfItsOwnRevision) {
  GoneAgent gone;
  gone.bench.ledger().serve("surveyor", false);
  const auto run = gone.bench.ask();
  EXPECT_TRUE(gone.bench.world().run(gone.bench.worker().cancel(run, "no")).value());
  gone.bench.pass(1s);
  EXPECT_EQ(gone.bench.standing(run).status, RunStatus::cancelled);
  EXPECT_EQ(gone.told(run), std::vector<std::string>{"ops"});
}

TEST(Recipients, OfARunWhoseRevisionCannotBeHadAreThoseInForce) {
  Members members;
  manifest::AgentSpec spec;
  spec.agent_id = "a";
  spec.deliver = {{.sinks = {"ops"}}};
  Member member;
  member.agent_id = "a";
  member.manifest = manifest::canonical(spec);
  member.delivers = true;
  members.add(std::move(member));
  const std::string agent = "a";
  EXPECT_EQ(recipients(members, {agent, RunId{7, 1}, RunStatus::failed, {}}).size(), 1U);
}

}  // namespace
}  // namespace agentd::host
