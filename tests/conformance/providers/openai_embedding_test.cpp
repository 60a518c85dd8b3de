// Vectors from the openai provider: answers as endpoints send them, and the fake endpoint over real HTTP.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/endpoint/endpoint_process.hpp"
#include "tests/support/real_http.hpp"

namespace agentd {
namespace {

using sdk::ModelFailure;
using support::EndpointProcess;
using testing::Ended;
using testing::FakeAnswer;
using testing::FakeHost;
using testing::FakeRequest;

class OpenAiEmbeddings : public ::testing::Test {
 protected:
  Ended ask(int status, std::string body, std::vector<std::string> texts = {"one", "two"}, std::string_view settings = R"({"base_url":"http://endpoint/v1","api_key":"sk-1"})") {
    host.answer_http([status, body](const FakeRequest&) { return FakeAnswer{status, body, {}}; });
    return host.create("openai", settings).embed(texts);
  }
  FakeHost host;
};

constexpr char kTwo[] =
    R"({"object":"list","data":[{"object":"embedding","index":1,"embedding":[0.5,-1e-2]},{"object":"embedding","index":0,"embedding":[1,0]}],)"
    R"("model":"small-2","usage":{"prompt_tokens":7,"total_tokens":7}})";

TEST_F(OpenAiEmbeddings, ComeInTheOrderOfTheTexts) {
  const auto ended = ask(200, kTwo);
  ASSERT_TRUE(ended.ok()) << ended.value;
  EXPECT_EQ(ended.vectors->values, (std::vector<std::vector<float>>{{1, 0}, {0.5F, -0.01F}}));
  EXPECT_EQ(ended.vectors->usage->input_tokens, 7);
  EXPECT_EQ(ended.vectors->model, "small-2");
}

TEST_F(OpenAiEmbeddings, AreAskedForAsTheFormatWants) {
  ask(200, kTwo, {"a \"b\"", "c"});
  const auto request = host.requests().front();
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "http://endpoint/v1/embeddings");
  EXPECT_EQ(request.body, R"({"model":"model","input":["a \"b\"","c"],"encoding_format":"float"})");
  EXPECT_EQ(request.headers[1], (std::pair<std::string, std::string>("Authorization", "Bearer sk-1")));
  ask(200, kTwo, {"a", "b"}, R"({"base_url":"http://endpoint/v1/","encoding_format":"base64"})");
  EXPECT_NE(host.requests().back().body.find(R"("encoding_format":"base64")"), std::string::npos);
}

TEST_F(OpenAiEmbeddings, AreReadFromBase64WhicheverWasAskedFor) {
  const auto ended = ask(200, R"({"data":[{"index":0,"embedding":"AACAPwAAAMA="}]})", {"x"});
  ASSERT_TRUE(ended.ok()) << ended.value;
  EXPECT_EQ(ended.vectors->values.front(), (std::vector<float>{1, -2}));
  EXPECT_FALSE(ended.vectors->usage);
}

TEST_F(OpenAiEmbeddings, ThatCannotBeReadAreRefusedAndSayWhy) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"data":[{"index":0,"embedding":[1]}]})", "1 embeddings for 2 texts"},
      {R"({"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]})", "embedding 0 twice"},
      {R"({"data":[{"index":0,"embedding":[1]},{"index":2,"embedding":[1]}]})", "an embedding 2 of 2 texts"},
      {R"({"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1,2]}]})", "of 1 and of 2 dimensions"},
      {R"({"data":[{"index":0,"embedding":[1e39]},{"index":1,"embedding":[1]}]})", "not finite"},
      {R"({"data":[{"index":0,"embedding":"AACAfw=="},{"index":1,"embedding":[1]}]})", "not finite"},
      {R"({"data":[{"index":0,"embedding":[]},{"index":1,"embedding":[1]}]})", "is empty"},
      {R"({"data":[{"index":0,"embedding":"AAC"},{"index":1,"embedding":[1]}]})", "not base64"},
      {R"({"data":[{"index":0,"embedding":"A*CA"},{"index":1,"embedding":[1]}]})", "not base64"},
      {R"({"data":[{"index":0,"embedding":"AACA"},{"index":1,"embedding":[1]}]})", "whole number of 32-bit floats"},
      {R"({"data":[{"index":0},{"index":1,"embedding":[1]}]})", "embedding 0 is missing"},
      {R"({"data":[{"index":0,"embedding":["x"]}]})", "expected a number"},
      {R"({})", "no data"},
      {"<html>", "an HTML page"},
      {"", "nothing"}};
  for (const auto& [body, why] : cases) {
    const auto ended = ask(200, body);
    EXPECT_EQ(ended.failure, ModelFailure::answer) << body;
    EXPECT_EQ(ended.status, AGENTD_RETRYABLE) << body;
    EXPECT_NE(ended.value.find(why), std::string::npos) << body << ": " << ended.value;
  }
}

TEST_F(OpenAiEmbeddings, OfMoreTextsThanAnEndpointTakesAreRefusedUnsent) {
  const auto ended = ask(200, kTwo, std::vector<std::string>(2049, "x"));
  EXPECT_EQ(ended.status, AGENTD_TERMINAL);
  EXPECT_NE(ended.value.find("at most 2048 texts"), std::string::npos) << ended.value;
  EXPECT_TRUE(host.requests().empty());
}

Ended embed_at(const EndpointProcess& endpoint, const std::vector<std::string>& texts, std::string_view more = "") {
  FakeHost host;
  host.answer_http(support::real_http());
  return host.create("openai", R"({"base_url":")" + endpoint.base_url() + '"' + std::string(more) + '}').embed(texts);
}

float cosine(const std::vector<float>& a, const std::vector<float>& b) {
  float sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

TEST(OpenAiEmbeddingsEndpoint, GivesTheSameVectorsInBothForms) {
  const EndpointProcess endpoint({"--means", "drive=disk"});
  const std::vector<std::string> texts = {"the disk is full", "the drive is full", "pear"};
  for (const char* form : {"float", "base64"}) {
    const auto ended = embed_at(endpoint, texts, R"(,"encoding_format":")" + std::string(form) + '"');
    ASSERT_TRUE(ended.ok()) << ended.value;
    const auto& vectors = ended.vectors->values;
    ASSERT_EQ(vectors.size(), 3U);
    EXPECT_EQ(vectors[0].size(), 256U);
    EXPECT_NEAR(cosine(vectors[0], vectors[1]), 1, 1e-4);
    EXPECT_LT(cosine(vectors[0], vectors[2]), 0.5);
    EXPECT_EQ(ended.vectors->usage->input_tokens, 9);
  }
}

TEST(OpenAiEmbeddingsEndpoint, TakesAsManyTextsAsTheBoundAllows) {
  const EndpointProcess endpoint({"--dimensions", "8"});
  const auto ended = embed_at(endpoint, std::vector<std::string>(2048, "word"));
  ASSERT_TRUE(ended.ok()) << ended.value;
  EXPECT_EQ(ended.vectors->values.size(), 2048U);
}

TEST(OpenAiEmbeddingsEndpoint, TellsEveryMisbehaviourApart) {
  struct Case {
    const char* how;
    ModelFailure failure;
    int32_t status;
  };
  const Case cases[] = {{"500", ModelFailure::server, AGENTD_RETRYABLE}, {"429:2", ModelFailure::rate, AGENTD_RETRYABLE}, {"401", ModelFailure::credentials, AGENTD_TERMINAL},
                        {"404", ModelFailure::other, AGENTD_TERMINAL},   {"quota", ModelFailure::quota, AGENTD_TERMINAL},  {"context", ModelFailure::context, AGENTD_TERMINAL},
                        {"html", ModelFailure::answer, AGENTD_RETRYABLE}, {"nothing", ModelFailure::answer, AGENTD_RETRYABLE}};
  for (const auto& c : cases) {
    const EndpointProcess endpoint({"--embeddings", c.how});
    const auto ended = embed_at(endpoint, {"x"});
    EXPECT_EQ(ended.failure, c.failure) << c.how << ": " << ended.value;
    EXPECT_EQ(ended.status, c.status) << c.how << ": " << ended.value;
  }
}

}  // namespace
}  // namespace agentd
