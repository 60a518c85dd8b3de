// The openai provider against answers as endpoints have been seen to send them.
#include <agentd/testing/fake_host.hpp>
#include <gtest/gtest.h>

#include <future>

namespace agentd {
namespace {

using sdk::Finish;
using sdk::ModelFailure;
using testing::Ended;
using testing::FakeAnswer;
using testing::FakeHost;
using testing::FakeRequest;

const std::vector<std::pair<sdk::Role, std::string>> kHello = {{sdk::Role::user, R"({"role":"user","content":"hello"})"}};

class OpenAi : public ::testing::Test {
 protected:
  Ended ask(FakeAnswer answer, bool streamed = false, std::string_view settings = R"({"base_url":"http://endpoint/v1","api_key":"sk-1"})") {
    host.answer_http([answer](const FakeRequest&) { return answer; });
    auto provider = host.create("openai", settings);
    provider.streamed = streamed;
    provider.call_id = "9-abc/2/0";
    return provider.complete(kHello, R"({"temperature":0})", R"([{"type":"function","function":{"name":"t","parameters":{}}}])");
  }
  Ended ask_status(int status, std::string body, sdk::HttpHeaders headers = {}) { return ask({status, std::move(body), std::move(headers)}); }
  Ended ask_stream(std::string body, std::size_t chunk = 9) { return ask({200, std::move(body), {{"content-type", "text/event-stream; charset=utf-8"}}, chunk}, true); }

  FakeHost host;
};

constexpr char kText[] =
    R"({"id":"c","object":"chat.completion","model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"message":{"role":"assistant","content":"Hi \u00e9","refusal":null},"logprobs":null,"finish_reason":"stop"}],)"
    R"("usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":4,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":3}}})";

TEST_F(OpenAi, ReadsATextAndItsUsage) {
  const auto ended = ask({200, kText});
  ASSERT_TRUE(ended.ok()) << ended.value;
  EXPECT_EQ(ended.answer->text, "Hi \xc3\xa9");
  EXPECT_EQ(ended.answer->finish, Finish::stop);
  EXPECT_EQ(ended.answer->model, "gpt-4o-mini-2024-07-18");
  EXPECT_EQ(ended.answer->usage->input_tokens, 19);
  EXPECT_EQ(ended.answer->usage->output_tokens, 10);
  EXPECT_EQ(ended.answer->usage->cache_read_tokens, 4);
  EXPECT_EQ(ended.answer->usage->cache_write_tokens, -1);
  EXPECT_EQ(ended.answer->usage->reasoning_tokens, 3);
}

TEST_F(OpenAi, TakesACountThatMakesNoSenseForOneThatWasNotSaid) {
  for (const char* odd : {"1000.5", "-5", "-9e18", "1e400", "99999999999999999999", "\"12\"", "null", "[]", "{}", "true"}) {
    const auto usage = R"("usage":{"prompt_tokens":)" + std::string(odd) + R"(,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":)" + odd +
                       R"(},"completion_tokens_details":{"reasoning_tokens":)" + odd + "}}";
    const auto ended = ask({200, R"({"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}],)" + usage + "}"});
    ASSERT_TRUE(ended.ok()) << odd << ": " << ended.value;
    EXPECT_EQ(ended.answer->text, "Hi");
    EXPECT_EQ(ended.answer->usage->input_tokens, -1) << odd;
    EXPECT_EQ(ended.answer->usage->cache_read_tokens, -1) << odd;
    EXPECT_EQ(ended.answer->usage->reasoning_tokens, -1) << odd;
    EXPECT_EQ(ended.answer->usage->output_tokens, 7);
    const auto streamed = ask_stream("data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"},\"finish_reason\":\"stop\"}]}\n\ndata: {\"choices\":[]," + usage + "}\n\ndata: [DONE]\n\n");
    ASSERT_TRUE(streamed.ok()) << odd << ": " << streamed.value;
    EXPECT_EQ(streamed.answer->usage->input_tokens, -1) << odd;
  }
}

TEST_F(OpenAi, SendsWhatTheFormatAsksFor) {
  ask({200, kText});
  const auto request = host.requests().front();
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "http://endpoint/v1/chat/completions");
  EXPECT_NE(request.parent, 0U);
  EXPECT_EQ(request.body, R"({"model":"model","messages":[{"role":"user","content":"hello"}],"tools":[{"type":"function","function":{"name":"t","parameters":{}}}],"temperature":0})");
  const auto header = [&](std::string_view name) {
    for (const auto& [key, value] : request.headers)
      if (key == name) return value;
    return std::string("none");
  };
  EXPECT_EQ(header("Authorization"), "Bearer sk-1");
  EXPECT_EQ(header("X-Client-Request-Id"), "9-abc/2/0");
  EXPECT_EQ(header("Content-Type"), "application/json");
}

TEST_F(OpenAi, NeedsNoKeyForALocalServer) {
  ask({200, kText}, false, R"({"base_url":"http://127.0.0.1:11434/v1"})");
  const auto request = host.requests().front();
  for (const auto& [name, value] : request.headers) EXPECT_NE(name, "Authorization");
}

TEST_F(OpenAi, ReadsToolCalls) {
  const auto ended = ask({200, R"({"model":"m","choices":[{"message":{"role":"assistant","content":null,"tool_calls":[
    {"id":"call_1","type":"function","function":{"name":"fs__read_file","arguments":"{\"path\": \"/a\"}"}},
    {"id":"","type":"function","function":{"name":"t","arguments":{"x":1}}}]},"finish_reason":"tool_calls"}]})"});
  ASSERT_TRUE(ended.ok()) << ended.value;
  ASSERT_EQ(ended.answer->calls.size(), 2U);
  EXPECT_EQ(ended.answer->calls[0].id, "call_1");
  EXPECT_EQ(ended.answer->calls[0].name, "fs__read_file");
  EXPECT_EQ(ended.answer->calls[0].arguments, R"({"path": "/a"})");
  EXPECT_EQ(ended.answer->calls[1].arguments, R"({"x":1})");
  EXPECT_EQ(ended.answer->finish, Finish::tool_calls);
  EXPECT_FALSE(ended.answer->usage);
}

TEST_F(OpenAi, PassesArgumentsOnAsTheModelWroteThem) {
  const auto ended = ask({200, R"({"choices":[{"message":{"tool_calls":[{"id":"1","function":{"name":"t","arguments":"{\"path\": "}}]},"finish_reason":"tool_calls"}]})"});
  ASSERT_TRUE(ended.ok());
  EXPECT_EQ(ended.answer->calls[0].arguments, "{\"path\": ");
}

TEST_F(OpenAi, MapsHowAnAnswerEnded) {
  const auto finish = [&](std::string_view reason, std::string_view message) {
    const auto ended = ask({200, R"({"choices":[{"message":)" + std::string(message) + R"(,"finish_reason":)" + std::string(reason) + "}]}"});
    return ended.answer ? ended.answer->finish : Finish(-1);
  };
  const char* text = R"({"content":"x"})";
  EXPECT_EQ(finish("\"stop\"", text), Finish::stop);
  EXPECT_EQ(finish("\"length\"", text), Finish::length);
  EXPECT_EQ(finish("\"content_filter\"", text), Finish::filter);
  EXPECT_EQ(finish("null", text), Finish::stop);
  EXPECT_EQ(finish("\"stop\"", R"({"content":"","tool_calls":[{"function":{"name":"t","arguments":"{}"}}]})"), Finish::tool_calls);  // Ollama
  EXPECT_EQ(finish("\"stop\"", R"({"content":null,"refusal":"no"})"), Finish::filter);
}

TEST_F(OpenAi, ClassesErrorsByWhatCanBeDone) {
  struct Case {
    int status;
    const char* body;
    ModelFailure failure;
    int32_t result;
  };
  const Case cases[] = {
      {401, R"({"error":{"message":"Incorrect API key provided","type":"invalid_request_error","code":"invalid_api_key"}})", ModelFailure::credentials, AGENTD_TERMINAL},
      {403, "Forbidden", ModelFailure::credentials, AGENTD_TERMINAL},
      {402, R"({"error":{"message":"Insufficient credits","code":402}})", ModelFailure::quota, AGENTD_TERMINAL},
      {429, R"({"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}})", ModelFailure::quota, AGENTD_TERMINAL},
      {429, R"({"error":{"message":"Rate limit reached","type":"tokens","code":"rate_limit_exceeded"}})", ModelFailure::rate, AGENTD_RETRYABLE},
      {400, R"({"error":{"message":"This model's maximum context length is 128000 tokens","type":"invalid_request_error","code":"context_length_exceeded"}})", ModelFailure::context, AGENTD_TERMINAL},
      {400, R"({"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error"}})", ModelFailure::context, AGENTD_TERMINAL},
      {400, R"({"object":"error","message":"bad","type":"BadRequestError","code":400})", ModelFailure::other, AGENTD_TERMINAL},
      {404, R"({"error":"model 'x' not found"})", ModelFailure::other, AGENTD_TERMINAL},
      {408, "", ModelFailure::server, AGENTD_RETRYABLE},
      {409, "", ModelFailure::server, AGENTD_RETRYABLE},
      {500, R"({"error":{"message":"The server had an error"}})", ModelFailure::server, AGENTD_RETRYABLE},
      {502, "<html><h1>Bad Gateway</h1></html>", ModelFailure::server, AGENTD_RETRYABLE},
      {503, "{\"error\":", ModelFailure::server, AGENTD_RETRYABLE},
      {504, "", ModelFailure::answer, AGENTD_RETRYABLE},
      {302, "", ModelFailure::other, AGENTD_TERMINAL},
  };
  for (const auto& c : cases) {
    for (const bool streamed : {false, true}) {
      const auto ended = ask({c.status, c.body}, streamed);
      EXPECT_EQ(ended.failure, c.failure) << c.status << " " << c.body;
      EXPECT_EQ(ended.status, c.result) << c.status << " " << c.body;
    }
  }
}

TEST_F(OpenAi, SaysWhatTheEndpointSaid) {
  EXPECT_EQ(ask_status(404, R"({"error":{"message":"The model does not exist"}})").value, "the endpoint answered 404: The model does not exist");
  EXPECT_EQ(ask_status(502, "<html>").value, "the endpoint answered 502: an HTML page");
}

TEST_F(OpenAi, PassesOnHowLongToWait) {
  EXPECT_EQ(ask_status(429, "{}", {{"retry-after", "3"}}).retry_after_ms, 3000);
  EXPECT_EQ(ask_status(503, "{}", {{"retry-after", "3"}}).retry_after_ms, 3000);
  EXPECT_EQ(ask_status(429, "{}").retry_after_ms, -1);
  EXPECT_EQ(ask_status(401, "{}", {{"retry-after", "3"}}).retry_after_ms, -1);
}

TEST_F(OpenAi, RefusesAnAnswerThatIsNone) {
  for (const char* body : {"<!doctype html><p>Welcome", "", "{}", "[]", "null", R"({"choices":[]})", R"({"choices":[{"message":{"content":"x"}}])", "{\"choices\":[{\"mess", "\xff\xfe"}) {
    const auto ended = ask({200, body});
    EXPECT_EQ(ended.failure, ModelFailure::answer) << body;
    EXPECT_EQ(ended.status, AGENTD_RETRYABLE) << body;
  }
}

TEST_F(OpenAi, FindsAnErrorInsideAnAnswerOf200) {
  const auto ended = ask({200, R"({"error":{"message":"upstream is down","code":502}})"});
  EXPECT_EQ(ended.failure, ModelFailure::answer);  // it may have been charged for
  EXPECT_EQ(ended.status, AGENTD_RETRYABLE);
  EXPECT_EQ(ask({200, R"({"error":{"message":"slow down","code":429}})"}).failure, ModelFailure::rate);
}

// Whether it was never sent, or its answer was lost on the way and may have been charged for.
TEST_F(OpenAi, TellsAConnectionThatWasNotMadeFromOneThatBroke) {
  for (const auto& [error, failure] : {std::pair(AGENTD_RETRYABLE, ModelFailure::server), std::pair(AGENTD_UNKNOWN_OUTCOME, ModelFailure::answer)}) {
    const auto ended = ask({200, "could not connect to 127.0.0.1:9: Connection refused", {}, 0, error});
    EXPECT_EQ(ended.failure, failure);
    EXPECT_EQ(ended.status, AGENTD_RETRYABLE);
    EXPECT_EQ(ended.value, "could not connect to 127.0.0.1:9: Connection refused");
  }
  EXPECT_EQ(ask({200, "the certificate was not accepted", {}, 0, AGENTD_TERMINAL}).status, AGENTD_TERMINAL);
}

constexpr char kStream[] =
    "data: {\"id\":\"c\",\"model\":\"m-1\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null},\"finish_reason\":null}]}\n\n"
    ": OPENROUTER PROCESSING\n\n"
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"hm\"},\"finish_reason\":null}]}\n\n"
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hel\"},\"finish_reason\":null}]}\n\n"
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"lo\"},\"finish_reason\":null}]}\n\n"
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2}}\n\n"
    "data: [DONE]\n\n";

TEST_F(OpenAi, StreamsATextHoweverTheBytesAreCut) {
  for (std::size_t chunk = 1; chunk < 60; ++chunk) {
    const auto ended = ask_stream(kStream, chunk);
    ASSERT_TRUE(ended.ok()) << ended.value;
    EXPECT_EQ(ended.answer->text, "Hello");
    EXPECT_EQ(ended.answer->model, "m-1");
    EXPECT_EQ(ended.answer->usage->input_tokens, 5);
    ASSERT_EQ(ended.deltas.size(), 3U);
    EXPECT_EQ(ended.deltas[0].kind, AGENTD_DELTA_REASONING);
    EXPECT_EQ(ended.deltas[1].text + ended.deltas[2].text, "Hello");
  }
}

// Events of one stream are alike but for their words, and then only these are read: every second event of the reference differs
// by a space, so that each of it is read whole.
TEST_F(OpenAi, ReadsEventsThatAreAlikeAsItReadsTheOthers) {
  const std::vector<std::string> deltas = {
      R"({"content":"a"})",
      R"({"content":"b\"c"})",
      R"({"content":"\u00e9\\"})",
      R"({"content":""})",
      R"({"content":null})",
      R"({"content":"d\",\"content\":\"e"})",
      R"({"content":"f","reasoning":"why"})",
      R"({"content":"g","reasoning":"why"})",
      R"({"content":"h","content":"i"})",
      R"({"content":"j","content":"i"})",
      R"({"content":[{"text":"k"}]})",
      R"({"content":[{"text":"l"}]})",
      R"({"content":"m","tool_calls":[{"index":0,"id":"1","function":{"name":"t","arguments":"x"}}]})",
      R"({"content":"n","tool_calls":[{"index":0,"id":"1","function":{"name":"t","arguments":"x"}}]})",
      R"({"role":"assistant","content":"o"})",
      R"({"role":"assistant","content":"p"})"};
  const auto stream = [&](bool unlike) {
    std::string body;
    for (std::size_t i = 0; i < deltas.size() * 3; ++i)
      body += "data: " + std::string(unlike && i % 2 == 0 ? " " : "") + R"({"model":"m",)" + (unlike && i % 2 == 1 ? " " : "") +
              R"("choices":[{"delta":)" + deltas[i / 3] + R"(,"finish_reason":null}]})" + "\n\n";
    return body + R"(data: {"choices":[{"delta":{},"finish_reason":"stop"}]})" + "\n\ndata: [DONE]\n\n";
  };
  const auto alike = ask_stream(stream(false)), whole = ask_stream(stream(true));
  ASSERT_TRUE(alike.ok() && whole.ok()) << alike.value << whole.value;
  EXPECT_EQ(alike.answer->text, whole.answer->text);
  EXPECT_TRUE(alike.answer->text.starts_with("aaab\"cb\"cb\"c\xc3\xa9\\")) << alike.answer->text;
  ASSERT_EQ(alike.answer->calls.size(), 1u);
  EXPECT_EQ(alike.answer->calls[0].arguments, whole.answer->calls[0].arguments);
  ASSERT_EQ(alike.deltas.size(), whole.deltas.size());
  for (std::size_t i = 0; i < alike.deltas.size(); ++i) EXPECT_EQ(alike.deltas[i].text, whole.deltas[i].text) << i;
}

TEST_F(OpenAi, TakesNothingForTextThatOnlyStandsWhereTextStood) {
  const std::string first = R"(data: {"choices":[{"delta":{"content":"a"}}]})";
  for (const char* odd : {R"(x"b")", R"("b)", R"("b" "c")", R"("b\q")", R"("b"}}]}{)"}) {
    const auto ended = ask_stream(first + "\n\ndata: {\"choices\":[{\"delta\":{\"content\":" + odd + "}}]}\n\ndata: [DONE]\n\n");
    EXPECT_FALSE(ended.ok()) << odd;
  }
  const auto ended = ask_stream(first + R"(

data: {"choices":[{"delta":{"content":"b","tool_calls":[{"id":"1","function":{"name":"t","arguments":"{}"}}],"x":"c"}}]}

data: [DONE]

)");
  ASSERT_TRUE(ended.ok()) << ended.value;
  EXPECT_EQ(ended.answer->text, "ab");
  EXPECT_EQ(ended.answer->calls.size(), 1u);
}

TEST_F(OpenAi, AsksForAStreamAndItsUsageOnlyWhereSomebodyListens) {
  ask_stream(kStream);
  EXPECT_NE(host.requests().back().body.find(R"("stream":true,"stream_options":{"include_usage":true})"), std::string::npos);
  ask({200, kText});
  EXPECT_EQ(host.requests().back().body.find("stream"), std::string::npos);
  ask({200, kText}, true, R"({"base_url":"http://e/v1","stream_usage":false})");
  EXPECT_EQ(host.requests().back().body.find("stream_options"), std::string::npos);
}

TEST_F(OpenAi, ToleratesAStreamWithoutItsLastWord) {
  std::string stream = kStream;
  EXPECT_TRUE(ask_stream(stream.substr(0, stream.find("data: [DONE]"))).ok());
}

TEST_F(OpenAi, RefusesAStreamThatEndsBeforeTheAnswerDoes) {
  std::string stream = kStream;
  const auto ended = ask_stream(stream.substr(0, stream.find("data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish")));
  EXPECT_EQ(ended.failure, ModelFailure::answer);
  EXPECT_EQ(ended.status, AGENTD_RETRYABLE);
}

TEST_F(OpenAi, RefusesAStreamThatIsNotJson) {
  EXPECT_EQ(ask_stream("data: {\"choices\":[{\"delta\":\n\n").failure, ModelFailure::answer);
  EXPECT_EQ(ask_stream("data: hello\n\n").failure, ModelFailure::answer);
}

TEST_F(OpenAi, StreamsToolCallsByTheirIndex) {
  const auto ended = ask_stream(
      "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"one\",\"arguments\":\"\"}}]}}]}\r\n\r\n"
      "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\\\"x\\\"\"}}]}}]}\r\n\r\n"
      "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":1,\"id\":\"b\",\"function\":{\"name\":\"two\",\"arguments\":\"{}\"}}]}}]}\r\n\r\n"
      "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\":1}\"}}]}}]}\r\n\r\n"
      "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\r\n\r\n");
  ASSERT_TRUE(ended.ok()) << ended.value;
  ASSERT_EQ(ended.answer->calls.size(), 2U);
  EXPECT_EQ(ended.answer->calls[0].arguments, "{\"x\":1}");
  EXPECT_EQ(ended.answer->calls[1].name, "two");
  EXPECT_EQ(ended.answer->finish, Finish::tool_calls);
  EXPECT_EQ(ended.deltas[0].name, "one");
}

TEST_F(OpenAi, TellsToolCallsWithoutAnIndexByTheirIds) {
  const auto ended = ask_stream(
      "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"id\":\"a\",\"function\":{\"name\":\"one\",\"arguments\":\"{}\"}},{\"id\":\"b\",\"function\":{\"name\":\"two\",\"arguments\":\"{}\"}}]},\"finish_reason\":\"stop\"}]}\n\n");
  ASSERT_TRUE(ended.ok()) << ended.value;
  ASSERT_EQ(ended.answer->calls.size(), 2U);
  EXPECT_EQ(ended.answer->calls[1].id, "b");
}

TEST_F(OpenAi, RefusesACallOutOfThinAir) {
  EXPECT_EQ(ask_stream("data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":4000000000,\"function\":{\"arguments\":\"x\"}}]}}]}\n\n").failure, ModelFailure::answer);
}

TEST_F(OpenAi, ClassesAnErrorInMidStream) {
  const auto ended = ask_stream(
      "data: {\"choices\":[{\"delta\":{\"content\":\"Hel\"}}]}\n\n"
      "data: {\"error\":{\"message\":\"overloaded\",\"code\":529}}\n\n");
  EXPECT_EQ(ended.failure, ModelFailure::answer);
  EXPECT_EQ(ended.status, AGENTD_RETRYABLE);
  EXPECT_EQ(ended.value, "the endpoint answered 529: overloaded");
}

TEST_F(OpenAi, ReadsAWholeAnswerFromAServerThatDoesNotStream) {
  const auto ended = ask({200, kText, {{"content-type", "application/json"}}, 11}, true);
  ASSERT_TRUE(ended.ok()) << ended.value;
  EXPECT_EQ(ended.answer->text, "Hi \xc3\xa9");
}

TEST_F(OpenAi, StopsWhenItIsCancelled) {
  std::promise<void> asked, cancelled;
  host.answer_http([&](const FakeRequest&) {
    asked.set_value();
    cancelled.get_future().wait();
    return FakeAnswer{200, kText};
  });
  auto provider = host.create("openai", "{}");
  const auto op = provider.start_complete(kHello);
  asked.get_future().wait();
  provider.cancel(op);
  cancelled.set_value();
  const auto ended = provider.wait(op);
  EXPECT_EQ(ended.status, AGENTD_UNKNOWN_OUTCOME);
  EXPECT_EQ(ended.failure, ModelFailure::answer) << "what was sent may be charged for";
}

TEST_F(OpenAi, HidesItsKeyInItsSchema) {
  const std::string schema = host.settings_schema("openai");
  EXPECT_TRUE(sdk::Json(schema)["properties"]["api_key"]["writeOnly"].boolean());
}

}  // namespace
}  // namespace agentd
