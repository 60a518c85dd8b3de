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

}  // namespace
}  // namespace agentd::cli
