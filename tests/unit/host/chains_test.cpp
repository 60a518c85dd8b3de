// What an agent that follows another one is given.
#include "host/chains.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/event/record.hpp"
#include "tests/support/virtual_world.hpp"

namespace agentd::host {
namespace {

using port::RunStatus;

struct Bench {
  support::VirtualWorld world;
  Members members;
  const std::string followed = "collector";

  Bench() {
    for (const char* id : {"reporter", "mourner", "off"}) {
      Member member;
      member.agent_id = id;
      member.revision = 3;
      member.overlap = port::Overlap::cancel_previous;
      member.queue_size = 5;
      member.enabled = member.agent_id != "off";
      members.add(std::move(member));
    }
    follow("reporter", "after", "completed"), follow("mourner", "sad", "failed"), follow("off", "x", "completed"),
        follow("gone", "x", "completed");
  }
  void follow(const char* who, const char* trigger, const char* outcome) {
    members.add(manifest::ChainLink{who, trigger, outcome, followed, {}});
  }
  std::vector<port::Entry> after(RunStatus status, std::string_view result = "1") {
    return follow_ups(world.world(), members, {followed, RunId{7, 1}, status, result});
  }
};

// It is refused until its manifest is mended, or is gone.
TEST(Chain, ToOneThatIsRefusedIsSkippedAndSaysWhy) {
  for (const bool mended : {true, false}) {
    Bench b;
    Member refused;
    refused.agent_id = "broken", refused.revision = 2;
    b.members.stand_in(refused);
    b.follow("broken", "late", "failed");
    const auto entries = b.after(RunStatus::failed);
    ASSERT_EQ(entries.size(), 2u);
    EXPECT_EQ(entries[1].agent_id, "broken");
    EXPECT_EQ(entries[1].revision, 2);
    EXPECT_EQ(entries[1].status, RunStatus::skipped);
    EXPECT_EQ(std::get<event::Entered>(event::decode(0, entries[1].payload)->body).reason, "its manifest is refused");
    b.members.drop_stand_ins({"broken"});
    EXPECT_EQ(b.after(RunStatus::failed).size(), 2u);
    if (mended) b.members.add(refused);
    else b.members.drop_stand_ins({});
    EXPECT_EQ(b.after(RunStatus::failed).size(), 1u);
    if (!mended) continue;
    b.follow("broken", "late", "failed");
    EXPECT_EQ(b.after(RunStatus::failed).at(1).status, RunStatus::queued);
  }
}

TEST(Chain, StartsThoseThatWaitForThisEndOnce) {
  Bench b;
  const auto entries = b.after(RunStatus::completed, R"({"n":1})");
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].agent_id, "reporter");
  EXPECT_EQ(entries[0].key, "agent:" + to_text(RunId{7, 1}) + "/after");
  EXPECT_EQ(entries[0].revision, 3);
  EXPECT_EQ(entries[0].overlap, port::Overlap::cancel_previous);
  EXPECT_EQ(entries[0].queue_size, 5u);
  EXPECT_TRUE(entries[0].leaves_record);
  const auto entered = std::get<event::Entered>(event::decode(0, entries[0].payload)->body);
  EXPECT_EQ(entered.trigger, "agent");
  EXPECT_EQ(entered.trigger_name, "after");
  EXPECT_EQ(entered.params.text, R"({"trigger":{"agent_id":"collector","run_id":")" + to_text(RunId{7, 1}) +
                                     R"(","status":"completed","result":{"n":1}}})");
  EXPECT_EQ(b.after(RunStatus::failed).at(0).agent_id, "mourner");
  const run::RunEnd again{.agent_id = b.followed, .run = RunId{7, 1}, .status = RunStatus::completed, .result = "1", .earlier_ends = 2};
  EXPECT_EQ(follow_ups(b.world.world(), b.members, again).at(0).key, entries[0].key + "/2") << "a person let it begin again, and it has ended again";
  EXPECT_TRUE(b.after(RunStatus::cancelled).empty());
}

TEST(Chain, EndsWithAnAgentThatIsTakenOut) {
  Bench b;
  b.members.remove("reporter");
  EXPECT_TRUE(b.after(RunStatus::completed).empty());
}

TEST(Chain, HandsOnALongResultShortened) {
  const std::string agent = "a";
  const auto read = [&](const std::string& result) {
    return nlohmann::json::parse(chain_params({agent, RunId{7, 1}, RunStatus::completed, result}));
  };
  const auto text = read('"' + std::string(300 << 10, 'x') + '"');
  EXPECT_EQ(text["result"].get<std::string>().size(), 256u << 10);
  EXPECT_NE(text["result_note"].get<std::string>().find("307200 bytes"), std::string::npos);
  const auto object = read("[\"" + std::string(300 << 10, 'x') + "\"]");
  EXPECT_EQ(object["result"].get<std::string>().substr(0, 3), "[\"x");
  EXPECT_TRUE(read("")["result"].is_null());
  EXPECT_FALSE(read("1").contains("result_note"));
}

}  // namespace
}  // namespace agentd::host
