// What runs wait for: a model, a native task and a gate.
#pragma once
#include "core/port/provider.hpp"
#include "core/port/task.hpp"
#include "tests/sim/dice.hpp"
#include "tests/sim/life.hpp"

namespace agentd::sim::months {

// One thread. The ports are the current process's way to it.
class Elsewhere final : public port::Provider, public port::Task {
 public:
  explicit Elsewhere(Dice dice) : dice_(dice) {}
  void talk_to(Life* life) { life_ = life; }

  std::string_view component() const override { return "months"; }
  Async<std::expected<port::Answer, port::ModelError>> complete(port::Completion completion, std::stop_token stop) override;
  bool embeds() const override { return false; }
  Async<std::expected<port::Embedded, port::ModelError>> embed(port::Embedding, std::stop_token) override {
    co_return std::unexpected(port::ModelError{port::Status::terminal, port::Failure::other, "it embeds nothing", {}});
  }
  Async<port::Outcome> run(port::TaskRun task, std::stop_token stop) override;

 private:
  Millis time_of(std::string_view agent_id);

  Dice dice_;
  Life* life_ = nullptr;
};

}  // namespace agentd::sim::months
