#include "host/deltas.hpp"

#include <gtest/gtest.h>

#include "tests/support/virtual_world.hpp"

namespace agentd::host {
namespace {

using Kind = port::Delta::Kind;

class ModelDeltas : public testing::Test {
 protected:
  static run::Speaker speaker(std::string agent, std::string run, int step = 1) { return {agent, std::move(run), agent, step}; }
  static std::string texts(Deltas::Reader& reader) {
    std::string all;
    for (const auto& piece : reader.take()) all += piece.text + "|";
    return all;
  }

  support::VirtualWorld world_;
  Deltas deltas_{world_.world().clock};
};

TEST_F(ModelDeltas, GoToWhomTheyFit) {
  Deltas::Reader all(deltas_, {}), of_agent(deltas_, {.agent = "a"}), of_run(deltas_, {.run = "2-x"}), of_session(deltas_, {.session = "b"});
  deltas_.listener(speaker("a", "1-x"))({.text = "one"});
  deltas_.listener(speaker("b", "2-x"))({.text = "two"});
  EXPECT_EQ(texts(all), "one|two|");
  EXPECT_EQ(texts(of_agent), "one|");
  EXPECT_EQ(texts(of_run), "two|");
  EXPECT_EQ(texts(of_session), "two|");
  EXPECT_EQ(texts(all), "");
}

TEST_F(ModelDeltas, AreNotAskedForWhenNobodyListens) {
  EXPECT_FALSE(deltas_.listener(speaker("a", "1-x")));
  {
    Deltas::Reader reader(deltas_, {.agent = "a"});
    EXPECT_TRUE(deltas_.listener(speaker("a", "1-x")));
    EXPECT_FALSE(deltas_.listener(speaker("b", "2-x")));
  }
  EXPECT_FALSE(deltas_.listener(speaker("a", "1-x")));
}

TEST_F(ModelDeltas, OfOnePartAreOnePiece) {
  Deltas::Reader reader(deltas_, {});
  const auto say = deltas_.listener(speaker("a", "1-x"));
  say({.text = "Let "});
  say({.text = "me see."});
  say({.kind = Kind::tool_call, .tool = "fs.list", .text = "{"});
  say({.kind = Kind::tool_call, .text = "}"});
  say({.kind = Kind::tool_call, .index = 1, .tool = "fs.stat", .text = "{}"});
  const auto pieces = reader.take();
  ASSERT_EQ(pieces.size(), 3);
  EXPECT_EQ(pieces[0].text, "Let me see.");
  EXPECT_EQ(pieces[1].tool + pieces[1].text, "fs.list{}");
  EXPECT_EQ(pieces[2].tool + pieces[2].text, "fs.stat{}");
}

TEST_F(ModelDeltas, WakeOnceUntilAskedAgain) {
  Deltas::Reader reader(deltas_, {});
  int woken = 0;
  const auto wake = [&] { ++woken; };
  const auto say = deltas_.listener(speaker("a", "1-x"));
  reader.when_heard(wake);
  EXPECT_EQ(woken, 0);
  say({.text = "a"});
  say({.text = "b"});
  EXPECT_EQ(woken, 1);
  reader.when_heard(wake);  // there is something already
  EXPECT_EQ(woken, 2);
}

TEST_F(ModelDeltas, ThatNobodyTakesAreBounded) {
  Deltas::Reader reader(deltas_, {});
  const auto say = deltas_.listener(speaker("a", "1-x"));
  const std::string text(1000, 'x');
  for (int i = 0; i < 1000; ++i) say({.index = static_cast<std::size_t>(i), .text = text});
  std::size_t bytes = 0;
  for (const auto& piece : reader.take()) bytes += piece.text.size();
  EXPECT_GT(bytes, Deltas::kMostBytes / 2);
  EXPECT_LE(bytes, Deltas::kMostBytes);
  say({.text = "again"});
  EXPECT_EQ(texts(reader), "again|");
}

TEST_F(ModelDeltas, LookLikeEvents) {
  Deltas::Reader reader(deltas_, {});
  deltas_.listener(speaker("a", "1-x", 2))({.kind = Kind::tool_call, .index = 1, .tool = "fs.list", .text = "{\"path\""});
  EXPECT_EQ(to_json(reader.take().at(0)), R"({"type":"model_delta","agent_id":"a","agent_name":"a","run_id":"1-x","session_id":"a","timestamp":")" + format_instant(world_.world().clock.now()) +
                                              R"(","payload":{"step":2,"kind":"tool_call","index":1,"tool":"fs.list","text":"{\"path\""}})");
}

}  // namespace
}  // namespace agentd::host
