// Chat completions and embeddings: OpenAI and everything that speaks its format (OpenRouter, Ollama, llama.cpp, vLLM, ...).
#include <agentd/sdk/provider.hpp>

#include <chrono>
#include <memory>

#include "answer.hpp"
#include "embedding.hpp"
#include "failure.hpp"
#include "request.hpp"
#include "sse.hpp"
#include "stream.hpp"

namespace agentd::openai {
namespace {

using namespace agentd::sdk;

int64_t now_unix_s() { return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count(); }

// One completion between its request and its end. The host calls these one at a time.
class Attempt {
 public:
  Attempt(Completion completion, std::string host) : completion_(std::move(completion)), host_(std::move(host)) {}

  bool on_head(const HttpHead& head) {
    head_ = head;
    const auto type = head.header("content-type");
    streaming_ = head.status == 200 && type.substr(0, 17) == "text/event-stream";
    return true;
  }
  bool on_body(std::string_view chunk) {
    if (!streaming_) {
      gathered_ += chunk;
      return true;
    }
    return events([&](auto&& each) { return sse_.feed(chunk, each); });
  }
  void on_end(HttpResult result) {
    if (problem_) return fail(*problem_);
    if (auto* error = std::get_if<Error>(&result)) return fail(completion_.call().cancelled() ? stopped(*error) : unreachable(*error));
    auto& response = std::get<HttpResponse>(result);
    if (!streaming_ && gathered_.empty()) gathered_ = std::move(response.body);
    if (streaming_) return end_stream();
    end_whole(response);
  }

 private:
  template <class F>
  bool events(F&& run) {
    try {
      if (run([&](std::string_view data) { return streamed_.take(data, completion_); }) && streamed_.tell_text(completion_)) return true;
      if (!streamed_.error().empty()) problem_ = failed_inside(streamed_.error(), head_, now_unix_s());
      else if (completion_.call().cancelled()) problem_ = stopped(Error("cancelled", Failure::unknown_outcome));
      else problem_ = unreadable(host_, "event", "an event of the stream is too long");
    } catch (const Error& e) {
      problem_ = unreadable(host_, "event", e.what());
    }
    return false;
  }
  void end_stream() {
    if (!events([&](auto&& each) { return sse_.finish(each); })) return fail(*problem_);
    try {
      completion_.answer(streamed_.end());
    } catch (const Error& e) {
      fail(unreadable(host_, "stream", e.what()));
    }
  }
  void end_whole(const HttpHead& head) {
    if (head.status != 200) return fail(failed_with_status(head, gathered_, now_unix_s()));
    try {
      completion_.answer(read_answer(gathered_));
    } catch (const Error& e) {
      if (const auto inside = failed_inside(gathered_, head, now_unix_s())) return fail(*inside);
      fail(unreadable(host_, gathered_, e.what()));
    }
  }
  void fail(const Failed& failed) { completion_.fail(failed.error, failed.why); }

  Completion completion_;
  std::string host_;
  HttpHead head_;
  SseParser sse_;
  StreamedAnswer streamed_;
  std::string gathered_;
  std::optional<Failed> problem_;
  bool streaming_ = false;
};

// The same of one embedding.
class EmbeddingAttempt {
 public:
  EmbeddingAttempt(Embedding embedding, std::size_t count, std::string host) : embedding_(std::move(embedding)), count_(count), host_(std::move(host)) {}

  void on_end(HttpResult result) {
    if (auto* error = std::get_if<Error>(&result)) return fail(embedding_.call().cancelled() ? stopped(*error) : unreachable(*error));
    const auto& response = std::get<HttpResponse>(result);
    if (response.status != 200) return fail(failed_with_status(response, response.body, now_unix_s()));
    try {
      embedding_.answer(read_vectors(response.body, count_));
    } catch (const Error& e) {
      if (const auto inside = failed_inside(response.body, response, now_unix_s())) return fail(*inside);
      fail(unreadable(host_, response.body, e.what(), "an embedding"));
    }
  }

 private:
  void fail(const Failed& failed) { embedding_.fail(failed.error, failed.why); }

  Embedding embedding_;
  const std::size_t count_;
  const std::string host_;
};

class OpenAi : public Provider, public Embedder {
 public:
  using Config = Settings;
  static constexpr bool concurrent = true;
  explicit OpenAi(const Settings& settings) : requests_(settings) {}

  void complete(const Prompt& prompt, Completion completion) override {
    const auto request = requests_.build(prompt);
    const bool streamed = prompt.streamed();
    const Host host = completion.host();
    const agentd_op op = completion.op();
    const auto abort = std::make_shared<Abort>();  // shared with the cancel, which may come when the completion has ended
    completion.call().on_cancel([abort] { abort->fire(); });
    const auto attempt = std::make_shared<Attempt>(std::move(completion), requests_.host());  // shared by the three callbacks
    HttpHandler handler;
    handler.end = [attempt](HttpResult result) { attempt->on_end(std::move(result)); };
    if (streamed) {
      handler.head = [attempt](const HttpHead& head) { return attempt->on_head(head); };
      handler.body = [attempt](std::string_view chunk) { return attempt->on_body(chunk); };
    }
    try {
      abort->started(stream(host, op, request, std::move(handler)));
    } catch (const Error& e) {  // refused at once: no callback comes
      attempt->on_end(e);
    }
  }

  void embed(const Texts& texts, Embedding embedding) override {
    const auto request = requests_.build(texts);
    const Host host = embedding.host();
    const agentd_op op = embedding.op();
    const auto abort = std::make_shared<Abort>();  // shared with the cancel, as above
    embedding.call().on_cancel([abort] { abort->fire(); });
    const auto attempt = std::make_shared<EmbeddingAttempt>(std::move(embedding), texts.size(), requests_.host());
    try {
      abort->started(send(host, op, request, [attempt](HttpResult result) { attempt->on_end(std::move(result)); }));
    } catch (const Error& e) {
      attempt->on_end(e);
    }
  }

 private:
  RequestBuilder requests_;
};

}  // namespace
}  // namespace agentd::openai

AGENTD_PLUGIN("openai", "1.0.0", agentd::sdk::provides<agentd::openai::OpenAi>("openai", "Chat completions and embeddings of OpenAI and of every server that speaks its format"),
              agentd::sdk::needs({AGENTD_HOST_HTTP_1}), agentd::sdk::license{"MIT"})
