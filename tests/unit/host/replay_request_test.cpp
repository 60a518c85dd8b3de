#include "host/api/replay_request.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace agentd::api {
namespace {

std::variant<ReplayRequest, Document> read(std::string body, std::string idempotency_key = "") {
  Request request{.method = "POST", .body = std::move(body)};
  if (!idempotency_key.empty()) request.headers["idempotency-key"] = std::move(idempotency_key);
  const auto unusable = [](const std::string& provider) {
    return provider == "spare" ? std::string() : "there is no provider \"" + provider + '"';
  };
  return read_replay_request(request, {2, 4, unusable});
}

ReplayRequest asked(std::string body, std::string idempotency_key = "") {
  return std::get<ReplayRequest>(read(std::move(body), std::move(idempotency_key)));
}

// "422 /key has ...", one error after the other.
std::string refusal(std::string body, std::string idempotency_key = "") {
  const auto document = std::get<Document>(read(std::move(body), std::move(idempotency_key)));
  auto words = std::to_string(document.status);
  for (const auto& error : nlohmann::json::parse(document.body)["errors"])
    words += ' ' + error["pointer"].get<std::string>() + ' ' + error["detail"].get<std::string>();
  return words;
}

TEST(ReplayRequest, BeginsAtTheRecordsFirstStepUnlessItSaysOtherwise) {
  EXPECT_EQ(asked("").how, (event::Replay{.from_step = 2}));
  EXPECT_EQ(asked(R"({"from_step":4,"live":true,"model":"m","key":"k"})").how,
            (event::Replay{.from_step = 4, .model = "m", .live = true}));
  EXPECT_EQ(asked(R"({"from_step":null,"model":null})").how, (event::Replay{.from_step = 2}));
}

TEST(ReplayRequest, NamesAProviderBeforeTheFirstSlash) {
  EXPECT_EQ(asked(R"({"model":"spare/meta/m-3"})").how,
            (event::Replay{.from_step = 2, .provider = "spare", .model = "meta/m-3"}));
  EXPECT_EQ(refusal(R"({"model":"meta/m-3"})"), "422 /model is PROVIDER/MODEL, and there is no provider \"meta\"");
  EXPECT_EQ(refusal(R"({"model":"/m"})"), "422 /model is MODEL or PROVIDER/MODEL");
  EXPECT_EQ(refusal(R"({"model":"spare/"})"), "422 /model is MODEL or PROVIDER/MODEL");
}

TEST(ReplayRequest, HasAKeyOfTheBodyOrOfTheHeader) {
  EXPECT_EQ(asked(R"({"key":"k"})", "header").key, "k");
  EXPECT_EQ(asked("", "header").key, "header");
  EXPECT_EQ(refusal("", "a\tb"), "422 /key has a control character in it, such as a newline or a NUL");
}

TEST(ReplayRequest, SaysEverythingThatIsWrongAtOnce) {
  for (const char* step : {"1", "5", "2.5", "\"2\"", "99999999999999999999"})
    EXPECT_TRUE(refusal(std::string(R"({"from_step":)") + step + "}")
                    .contains(step[0] == '9' ? "beyond 64 bits" : "422 /from_step is a step of the record, 2 to 4"))
        << step;
  EXPECT_EQ(refusal(R"({"live":1,"model":2,"to_step":3})"),
            "422 /live is true or false /model is a string /to_step is not known here; known are model, from_step, live, key");
  EXPECT_TRUE(refusal("[1]").starts_with("400"));
  EXPECT_TRUE(refusal("{").starts_with("400"));
}

}  // namespace
}  // namespace agentd::api
