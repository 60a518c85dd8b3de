// What the author of a provider includes: one way to reach models.
//
//   struct Echo : Provider {
//     static constexpr bool concurrent = true;
//     void complete(const Prompt& prompt, Completion completion) override {
//       completion.answer({"You said: " + last_text(prompt)});
//     }
//   };
//   AGENTD_PLUGIN("echo", "1.0.0", provides<Echo>("echo", "Says what it was told"))
//
// complete is asynchronous: it starts a request (http.hpp), moves the completion into the callbacks and returns at once. It comes on a
// thread of the host that must not block, and may come again while earlier completions are under way; `on_worker` in work.hpp is there
// for those that compute or block. One that embeds texts, too, derives from Provider and Embedder.
#pragma once
#include <agentd/abi/provider.h>
#include <agentd/sdk/plugin.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace agentd::sdk {

AGENTD_SDK_SERVICE(agentd_host_completions_v1, AGENTD_HOST_COMPLETIONS_1)

enum class Role : int32_t { system = AGENTD_ROLE_SYSTEM, user = AGENTD_ROLE_USER, assistant = AGENTD_ROLE_ASSISTANT, tool = AGENTD_ROLE_TOOL };

// One message of a prompt, as it crosses the border: serialised, in the chat-completions format.
class Message {
 public:
  explicit Message(const agentd_message& record) : record_(&record) {}
  Role role() const { return static_cast<Role>(record_->role); }
  std::string_view text() const { return view(record_->json); }  // the whole message, ready to be sent
  Json json() const { return Json(text()); }
  // What the component of that name wrote beside its answer, else empty. A provider reads only its own.
  std::string_view extra_of(std::string_view component) const {
    return view(record_->extra_owner) == component ? view(record_->extra) : std::string_view();
  }

 private:
  const agentd_message* record_;
};

// What is to be completed. It is the host's, and valid only until complete() returns: build the request from it there.
class Prompt {
 public:
  explicit Prompt(const agentd_completion& record) : record_(&record) {}
  Prompt(const Prompt&) = delete;

  std::string_view model() const { return view(record_->model); }
  std::size_t size() const { return static_cast<std::size_t>(record_->message_count); }
  Message operator[](std::size_t i) const { return Message(*record_->messages[i]); }
  std::string_view tools() const { return view(record_->tools); }  // JSON array in the chat-completions format, or empty
  Json options() const { return Json(view(record_->options)); }    // temperature, max_output_tokens, ...; each may be missing
  std::string_view agent_id() const { return view(record_->agent_id); }
  std::string_view run_id() const { return view(record_->run_id); }
  std::string_view call_id() const { return view(record_->call_id); }
  int64_t timeout_ms() const { return record_->timeout_ms; }
  bool streamed() const { return (record_->flags & AGENTD_COMPLETION_STREAM) != 0; }  // somebody listens: emit deltas

 private:
  const agentd_completion* record_;
};

enum class Finish : int32_t {
  stop = AGENTD_FINISH_STOP,
  tool_calls = AGENTD_FINISH_TOOL_CALLS,
  length = AGENTD_FINISH_LENGTH,
  filter = AGENTD_FINISH_FILTER,
};

struct ToolRequest {
  std::string id;         // the model's own; may repeat or be empty
  std::string name;
  std::string arguments;  // as the model wrote them
};

// -1 where the endpoint did not say. input_tokens includes what was read from and written to a cache.
struct Usage {
  int64_t input_tokens = -1, output_tokens = -1, cache_read_tokens = -1, cache_write_tokens = -1, reasoning_tokens = -1;
};

struct ModelAnswer {
  std::string text = {};
  std::vector<ToolRequest> calls = {};
  Finish finish = Finish::stop;
  std::optional<Usage> usage = {};
  std::string extra = {};  // JSON, given back with this message to this provider only
  std::string model = {};  // the one that answered, where the endpoint says
};

// Why a completion failed: decides about retry, fallback and the provider's health.
enum class ModelFailure : int32_t {
  other = AGENTD_FAILURE_OTHER,
  rate = AGENTD_FAILURE_RATE,                // 429
  credentials = AGENTD_FAILURE_CREDENTIALS,  // 401, 403
  quota = AGENTD_FAILURE_QUOTA,              // 402 or an exhausted quota
  context = AGENTD_FAILURE_CONTEXT,          // the prompt is too long
  server = AGENTD_FAILURE_SERVER,            // 408, 409, 5xx, connection
  answer = AGENTD_FAILURE_ANSWER,            // the answer could not be read
};

namespace detail {

// The duty to end what a provider was asked for.
class ModelDuty {
 public:
  void fail(const Error& e, ModelFailure why = ModelFailure::other) noexcept {
    guard(call_, [&] {
      const std::string message = valid_utf8(e.what());
      const agentd_result record{sizeof record, static_cast<int32_t>(e.failure), str(message), e.retry_after_ms};
      const auto& completions = host().need<agentd_host_completions_v1>();
      if (const agentd_op op = CallAccess::ending(call_).release()) completions.fail(host().raw(), op, &record, static_cast<int32_t>(why));
    });
  }

  Call& call() { return call_; }
  agentd_op op() const { return call_.op(); }  // the parent of the request
  const Host& host() const { return call_.host(); }

 protected:
  ModelDuty(Lent lent, const char* what) : call_(lent), what_(what) {}
  ModelDuty(ModelDuty&&) noexcept = default;
  ~ModelDuty() {
    if (CallAccess::pending(call_) && !CallAccess::going_back(call_)) fail(Error(std::string("the provider dropped the ") + what_, Failure::unknown_outcome));
  }
  static agentd_usage lend(const Usage& u) {
    return {sizeof(agentd_usage), 0, u.input_tokens, u.output_tokens, u.cache_read_tokens, u.cache_write_tokens, u.reasoning_tokens};
  }
  Call call_;

 private:
  const char* what_;
};

}  // namespace detail

// The duty to end one completion. Move it along; any thread, one at a time. Dropped: unknown outcome.
class Completion : public detail::ModelDuty {
 public:
  explicit Completion(detail::Lent lent) : ModelDuty(lent, "completion") {}
  Completion(Completion&&) noexcept = default;

  // Pieces of the answer on their way. False: stop and fail as cancelled.
  bool emit_text(std::string_view text) { return emit(AGENTD_DELTA_TEXT, 0, {}, text); }
  bool emit_reasoning(std::string_view text) { return emit(AGENTD_DELTA_REASONING, 0, {}, text); }
  bool emit_tool_call(uint64_t index, std::string_view name, std::string_view arguments) {
    return emit(AGENTD_DELTA_TOOL_CALL, index, name, arguments);
  }

  void answer(const ModelAnswer& answer) noexcept {
    detail::guard(call_, [&] {
      std::vector<agentd_tool_request> records;
      std::vector<const agentd_tool_request*> pointers;
      for (const auto& c : answer.calls) records.push_back({sizeof(agentd_tool_request), 0, str(c.id), str(c.name), str(c.arguments)});
      for (const auto& record : records) pointers.push_back(&record);
      const agentd_usage usage = lend(answer.usage.value_or(Usage()));
      const agentd_answer record{sizeof record, static_cast<int32_t>(answer.finish), str(answer.text), str(answer.extra), pointers.data(),
                                 pointers.size(), answer.usage ? &usage : nullptr, str(answer.model)};
      const auto& completions = host().need<agentd_host_completions_v1>();
      if (const agentd_op op = detail::CallAccess::ending(call_).release()) completions.answer(host().raw(), op, &record);
    });
  }

 private:
  bool emit(int32_t kind, uint64_t index, std::string_view name, std::string_view text) {
    const agentd_delta delta{sizeof delta, kind, index, str(name), str(text)};
    if (op() == 0) return false;
    if (!completions_) completions_ = &host().need<agentd_host_completions_v1>();  // asked for once, not with every word
    return completions_->emit(host().raw(), op(), &delta) == AGENTD_OK;
  }
  const agentd_host_completions_v1* completions_ = nullptr;
};

// What is to be embedded. It is the host's, and valid only until embed() returns: build the request from it there.
class Texts {
 public:
  explicit Texts(const agentd_embed& record) : record_(&record) {}
  Texts(const Texts&) = delete;

  std::string_view model() const { return view(record_->model); }
  std::size_t size() const { return static_cast<std::size_t>(record_->text_count); }  // 1 or more
  std::string_view operator[](std::size_t i) const { return view(record_->texts[i]); }
  int64_t timeout_ms() const { return record_->timeout_ms; }

 private:
  const agentd_embed* record_;
};

struct Vectors {
  std::vector<std::vector<float>> values = {};  // one for each text, in their order, all of the same dimensions
  std::optional<Usage> usage = {};
  std::string model = {};  // the one that answered, where the endpoint says
};

// The duty to end one embedding, as with a completion.
class Embedding : public detail::ModelDuty {
 public:
  explicit Embedding(detail::Lent lent) : ModelDuty(lent, "embedding") {}
  Embedding(Embedding&&) noexcept = default;

  void answer(const Vectors& vectors) noexcept {
    detail::guard(call_, [&] {
      const std::size_t dimensions = vectors.values.empty() ? 0 : vectors.values.front().size();
      std::vector<float> all;
      all.reserve(vectors.values.size() * dimensions);
      for (const auto& vector : vectors.values) {
        if (vector.size() != dimensions) {
          return fail(Error("vectors of " + std::to_string(dimensions) + " and of " + std::to_string(vector.size()) + " dimensions in one answer"), ModelFailure::answer);
        }
        all.insert(all.end(), vector.begin(), vector.end());
      }
      const agentd_usage usage = lend(vectors.usage.value_or(Usage()));
      const agentd_vectors record{sizeof record, 0, all.data(), dimensions, vectors.values.size(), vectors.usage ? &usage : nullptr, str(vectors.model)};
      const auto& completions = host().need<agentd_host_completions_v1>();
      if (const agentd_op op = detail::CallAccess::ending(call_).release()) completions.embedded(host().raw(), op, &record);
    });
  }
};

class Provider {
 public:
  using Config = sdk::Config;  // declare a struct of that name to have typed settings
  Provider() = default;
  Provider(const Provider&) = delete;
  virtual ~Provider() = default;

  virtual void complete(const Prompt& prompt, Completion completion) = 0;
};

// What a provider that turns texts into vectors is besides. embed is called as complete is, and returns at once, too.
class Embedder {
 public:
  virtual void embed(const Texts& texts, Embedding embedding) = 0;

 protected:
  ~Embedder() = default;
};

// The text of the newest message of the user's, or empty.
inline std::string last_text(const Prompt& prompt) {
  for (std::size_t i = prompt.size(); i-- > 0;) {
    if (prompt[i].role() != Role::user) continue;
    const Json content = prompt[i].json()["content"];
    if (content.kind() == Json::Kind::string) return content.string();
    std::string text;
    if (content.kind() == Json::Kind::array) {
      content.elements([&](Json part) {
        if (const Json piece = part["text"]) text += piece.string();
      });
    }
    return text;
  }
  return {};
}

namespace detail {

template <class T>
struct ProviderSlots : Slots<Instance<T>> {
  static void complete(void* self, const agentd_completion* record) noexcept {
    start<Completion>(self, *record, [record](T& object, Call& call) {
      const Prompt prompt(*record);
      static_cast<Provider&>(object).complete(prompt, Completion(Lent{call}));
    });
  }
  static void embed(void* self, const agentd_embed* record) noexcept {
    start<Embedding>(self, *record, [record](T& object, Call& call) {
      const Texts texts(*record);
      static_cast<Embedder&>(object).embed(texts, Embedding(Lent{call}));
    });
  }
  static const agentd_provider_v1* table() {
    static const agentd_provider_v1 all{&ProviderSlots::create, &ProviderSlots::destroy, &complete, embed_slot(), &ProviderSlots::cancel};
    return &all;
  }

 private:
  static constexpr auto embed_slot() -> void (*)(void*, const agentd_embed*) {
    if constexpr (std::is_base_of_v<Embedder, T>) {
      return &embed;
    } else {
      return nullptr;
    }
  }
  // What the body throws while it still has the duty fails what it was asked for.
  template <class Duty, class Record, class F>
  static void start(void* self, const Record& record, F body) noexcept {
    auto& instance = ProviderSlots::of(self);
    with_call(instance.host, record, instance.cancels, [&](Call& call) {
      try {
        body(*instance.object, call);
      } catch (...) {
        describe_current_exception([&](int32_t status, const char* message, int64_t after) {
          Duty(Lent{call}).fail(Error(message, static_cast<Failure>(status), after));
        });
      }
    });
  }
};

template <class T>
struct Kind<T, std::enable_if_t<std::is_base_of_v<Provider, T>>> {
  static constexpr const char* interface_id = AGENTD_PROVIDER_1;
  static const void* table() { return ProviderSlots<T>::table(); }
  static std::vector<std::string> services() { return {AGENTD_HOST_OPS_1, AGENTD_HOST_COMPLETIONS_1}; }
};

}  // namespace detail
}  // namespace agentd::sdk
