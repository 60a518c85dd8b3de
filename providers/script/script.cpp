// The provider `script`: plays answers and tool calls from a TOML file. There is no model behind it; what it says of the machine is true
// because it is put together from tool results.
#include <agentd/sdk/provider.hpp>
#include <agentd/sdk/timer.hpp>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>

#include "answer.hpp"
#include "parse.hpp"

namespace agentd::script {
namespace {

enum class UsageReport { estimated, none };
AGENTD_CHOICES(UsageReport, {"estimated", UsageReport::estimated}, {"none", UsageReport::none})

struct Settings {
  sdk::Required<sdk::Path> file;                    // the script
  UsageReport usage = UsageReport::estimated;       // a token for every four bytes, so that budgets can be tried out
  AGENTD_FIELDS(file, usage)
};

// An answer that waits for its step's delay, or for somebody to cancel it. Any thread.
class Waiting : public std::enable_shared_from_this<Waiting> {  // shared by the timer and the cancel: either may come last
 public:
  Waiting(sdk::Completion completion, sdk::ModelAnswer answer, bool streamed)
      : completion_(std::move(completion)), answer_(std::move(answer)), streamed_(streamed) {}

  void start(std::chrono::milliseconds delay) {
    if (delay.count() == 0) return end();
    completion_->call().on_cancel([self = shared_from_this()] { self->cancel(); });
    sdk::Timer timer(host_, delay, [self = shared_from_this()] { self->end(); });
    const std::lock_guard lock(mutex_);
    if (completion_) timer_ = std::move(timer);
  }

 private:
  std::optional<sdk::Completion> take(sdk::Timer& timer) {
    const std::lock_guard lock(mutex_);
    std::optional<sdk::Completion> taken;
    if (completion_) taken.emplace(std::move(*completion_));
    completion_.reset();
    timer = std::move(timer_);
    return taken;
  }
  void end() {
    sdk::Timer timer;
    auto completion = take(timer);
    if (!completion) return;
    if (streamed_ && !answer_.text.empty()) (void)completion->emit_text(answer_.text);
    completion->answer(answer_);
  }
  void cancel() {
    sdk::Timer timer;
    if (auto completion = take(timer)) completion->fail(sdk::Error("cancelled", sdk::Failure::cancelled));
  }

  std::mutex mutex_;
  std::optional<sdk::Completion> completion_;
  sdk::Host host_ = completion_->host();
  sdk::Timer timer_;
  sdk::ModelAnswer answer_;
  bool streamed_;
};

sdk::Usage estimate(const Scene& scene, const sdk::ModelAnswer& answer) {
  const auto tokens = [](std::size_t bytes) { return static_cast<int64_t>((bytes + 3) / 4); };
  std::size_t said = answer.text.size();
  for (const auto& call : answer.calls) said += call.name.size() + call.arguments.size();
  sdk::Usage usage;
  usage.input_tokens = tokens(scene.prompt_bytes());
  usage.output_tokens = tokens(said);
  return usage;
}

class ScriptProvider : public sdk::Provider {
 public:
  using Config = Settings;
  static constexpr bool concurrent = true;
  explicit ScriptProvider(const Settings& settings) : script_(read_script(settings.file.value.text())), usage_(settings.usage) {}

  void complete(const sdk::Prompt& prompt, sdk::Completion completion) override {
    Scene scene(prompt);
    auto played = play(script_, scene);
    if (usage_ == UsageReport::estimated) played.answer.usage = estimate(scene, played.answer);
    played.answer.model = "script";
    std::make_shared<Waiting>(std::move(completion), std::move(played.answer), prompt.streamed())->start(played.delay);
  }

 private:
  Script script_;
  UsageReport usage_;
};

}  // namespace
}  // namespace agentd::script

AGENTD_PLUGIN("script", "1.0.0", agentd::sdk::provides<agentd::script::ScriptProvider>("script", "Plays answers and tool calls from a file; no model, no network"),
              agentd::sdk::needs({AGENTD_HOST_TIMER_1}), agentd::sdk::license{"MIT"})
