#include "host/api/run_request.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace agentd::api {
namespace {

using nlohmann::json;

std::variant<RunRequest, Document> read(std::string body, std::string idempotency_key = "") {
  Request request{.method = "POST", .body = std::move(body)};
  if (!idempotency_key.empty()) request.headers["idempotency-key"] = std::move(idempotency_key);
  return read_run_request("report", request);
}

// "422 /key has ...", one error after the other; "" when it was understood.
std::string refusal(const std::variant<RunRequest, Document>& read) {
  const auto* document = std::get_if<Document>(&read);
  if (!document) return "";
  auto words = std::to_string(document->status);
  for (const auto& error : json::parse(document->body)["errors"])
    words += ' ' + error["pointer"].get<std::string>() + ' ' + error["detail"].get<std::string>();
  return words;
}

TEST(RunRequest, IsReadWhole) {
  const auto asked = read(
      R"({"query":"why?","params":{"n":18446744073709551615,"x":-1.5},"key":"2026-03-01","session_id":"s\u00e4","wait":2.5})",
      "header");
  ASSERT_TRUE(std::holds_alternative<RunRequest>(asked)) << refusal(asked);
  const auto& run = std::get<RunRequest>(asked);
  EXPECT_EQ(run.entered.query, "why?");
  EXPECT_EQ(run.entered.params.text, R"({"n":18446744073709551615,"x":-1.5})");
  EXPECT_EQ(run.entered.key, "2026-03-01");
  EXPECT_EQ(run.entered.session, "s\xc3\xa4");
  EXPECT_EQ(run.wait, Millis(2500));
  EXPECT_EQ(std::get<RunRequest>(read("", "header")).entered.key, "header");
}

TEST(RunRequest, WantsNamesThatEverybodyReadsAlike) {
  for (const char* member : {"key", "session_id"})
    for (const char* name : {R"("a\u0000b")", R"("a\nb")", R"("\u001b[2J")", R"("\u007f")", R"("\u0085")"})
      EXPECT_EQ(refusal(read(std::string("{\"") + member + "\":" + name + '}')),
                std::string("422 /") + member + " has a control character in it, such as a newline or a NUL");
  EXPECT_EQ(refusal(read("", "caf\xe9")), "422 /key Idempotency-Key is not UTF-8");
  EXPECT_EQ(refusal(read(R"({"key":"good"})", "caf\xe9")), "422 /key Idempotency-Key is not UTF-8");
  EXPECT_EQ(refusal(read("", "a\tb")), "422 /key Idempotency-Key has a control character in it, such as a newline or a NUL");
  EXPECT_EQ(refusal(read("", std::string(257, 'k'))), "422 /key Idempotency-Key is longer than 256 bytes");
  EXPECT_EQ(refusal(read(R"({"key":"report@2026"})")), "422 /key begins like the keys of the agent's own slots; choose another");
  EXPECT_EQ(refusal(read(R"({"key":"replay:7-0000000/1"})")), "422 /key begins like the keys of replays; choose another");
  EXPECT_EQ(refusal(read(R"({"key":"retry:7-0000000/1"})")), "422 /key begins like the keys of retries; choose another");
}

TEST(RunRequest, TakesNoNumberForAnother) {
  EXPECT_EQ(refusal(read(R"({"params":{"n":18446744073709551616}})")),
            "400  is JSON with the integer 18446744073709551616, which is beyond 64 bits");
  EXPECT_EQ(refusal(read(R"({"params":{"n":-9223372036854775809}})")),
            "400  is JSON with the integer -9223372036854775809, which is beyond 64 bits");
  EXPECT_TRUE(refusal(read(R"({"params":{"n":1e400}})")).contains("beyond what a double holds"));
  EXPECT_TRUE(refusal(read(R"({"params":{"n":NaN}})")).contains("not one valid JSON document"));
}

TEST(RunRequest, TellsEverythingThatIsWrongAtOnce) {
  EXPECT_EQ(refusal(read(R"({"query":1,"params":[],"wait":-1,"when":"now"})")),
            "422 /query is a string /params is an object /wait is a number of seconds /when is not known here; known are query, "
            "params, key, session_id, wait");
  EXPECT_TRUE(refusal(read(R"({"a/b~c":1})")).starts_with("422 /a~1b~0c is not known here"));
  EXPECT_EQ(refusal(read("[]")), "400  write an object: {\"query\": \"...\"}");
}

}  // namespace
}  // namespace agentd::api
