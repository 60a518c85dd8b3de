#include <gtest/gtest.h>

#include <sstream>

#include "host/cli/client.hpp"

namespace agentd::cli {
namespace {

// What is told of a command that is refused before the host is asked; no host is there.
std::string refusal(AgentsRun command) {
  command.connection.url = "http://127.0.0.1:1";
  std::ostringstream out, err;
  const int code = perform(command, {out, err, {}});
  return std::to_string(code) + ' ' + err.str();
}

TEST(AgentsRunCommand, SendsNoNumberThatIsAnother) {
  EXPECT_EQ(refusal({.params = R"({"n":18446744073709551616})"}),
            "2 agentd: --params: it is JSON with the integer 18446744073709551616, which is beyond 64 bits: {\"n\":18446744073709551616}\n");
  EXPECT_TRUE(refusal({.params = R"({"n":1e400})"}).starts_with("2 agentd: --params: it is JSON with a number beyond what a double holds (at byte "));
  EXPECT_TRUE(refusal({.params = R"({"n":NaN})"}).starts_with("2 agentd: --params: it is not one valid JSON document (at byte 6)"));
  EXPECT_TRUE(refusal({.params = R"({"a":1,})"}).starts_with("2 agentd: --params: it is not one valid JSON document (at byte 8)"));
  EXPECT_TRUE(refusal({.params = R"({"n":1,"n":2})"}).starts_with("2 agentd: --params: it is JSON with the key \"n\" twice in one object"));
  EXPECT_TRUE(refusal({.params = "[1]"}).starts_with("2 agentd: --params: not a JSON object"));
  EXPECT_TRUE(refusal({.params = R"({"n":18446744073709551615})"}).starts_with("3 ")) << "nobody is there to take it";
}

TEST(AgentsRunCommand, SendsNoTextThatReadersReadDifferently) {
  EXPECT_EQ(refusal({.key = "a\nb"}), "2 agentd: --key: it has a control character in it, such as a newline or a NUL\n");
  EXPECT_EQ(refusal({.session = "caf\xe9"}), "2 agentd: --session: it is not UTF-8\n");
  EXPECT_EQ(refusal({.query = "caf\xe9"}), "2 agentd: --query: it is not UTF-8\n");
}

}  // namespace
}  // namespace agentd::cli
