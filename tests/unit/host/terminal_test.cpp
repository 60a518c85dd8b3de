#include "host/cli/terminal.hpp"

#include <gtest/gtest.h>

namespace agentd::cli {
namespace {

Table sample() {
  Table table({"run", "status"});
  table.row({"1", "completed"});
  table.row({"größer", "a\nb\x1b[2J"});
  return table;
}

TEST(Table, IsAlignedOnATerminal) { EXPECT_EQ(sample().text({.is_terminal = true}), "run     status\n1       completed\ngrößer  a b [2J\n"); }
TEST(Table, IsTabSeparatedInAPipe) { EXPECT_EQ(sample().text({}), "1\tcompleted\ngrößer\ta b [2J\n"); }
TEST(Table, ColoursOnlyWhereTheyAreWanted) {
  EXPECT_NE(sample().text({.is_terminal = true, .colours = true}).find("\x1b[32mcompleted\x1b[0m"), std::string::npos);
  EXPECT_EQ(Terminal::of(-1).colours, false);
}

TEST(Table, ColoursWhatTellsHowItIsAndNoWordThatOnlyLooksLikeIt) {
  Table run({{"key", Cut::never}, {"value", Cut::never}});
  run.row({"status", "completed"});
  run.row({"error", "-"});
  run.row({"result", "failed"});
  EXPECT_EQ(run.text({.is_terminal = true, .colours = true}),
            "\x1b[2mkey\x1b[0m     \x1b[2mvalue\x1b[0m\nstatus  \x1b[32mcompleted\x1b[0m\nerror   -\nresult  failed\n");
}

Table wide() {
  Table table({{"run", Cut::never}, "status", "result"});
  table.row({"123456789-abcdefg", "completed", "Größe und Farbe sind gut, alles ist gut"});
  return table;
}

TEST(Table, KeepsToTheWidthOfATerminal) {
  EXPECT_EQ(wide().text({.is_terminal = true, .columns = 50}), "run                status     result\n123456789-abcdefg  completed  Größe und Farbe sin…\n");
  EXPECT_EQ(wide().text({.is_terminal = true, .columns = 32}), "run                status    result\n123456789-abcdefg  complet…  Größe u…\n") << "an id is never cut, nor anything to nothing";
  EXPECT_EQ(wide().text({.is_terminal = true, .columns = 200}), wide().text({.is_terminal = true}));
}

TEST(Table, IsWholeInAPipe) { EXPECT_EQ(wide().text({.columns = 20}), "123456789-abcdefg\tcompleted\tGröße und Farbe sind gut, alles ist gut\n"); }

TEST(Moment, IsHowLongAgoOnATerminal) {
  const auto now = parse_instant("2026-03-01T09:00:00Z").value();
  const Terminal terminal{.is_terminal = true, .now = now};
  EXPECT_EQ(terminal.moment("2026-03-01T08:59:30.500Z"), "29s ago");
  EXPECT_EQ(terminal.moment("2026-02-27T09:00:00.000Z"), "2d ago");
  EXPECT_EQ(terminal.moment("2026-03-01T11:30:00.000Z"), "in 2h");
  EXPECT_EQ(terminal.moment("-"), "-");
  EXPECT_EQ(Terminal{.now = now}.moment("2026-03-01T08:59:30.500Z"), "2026-03-01T08:59:30.500Z");
}

}  // namespace
}  // namespace agentd::cli
