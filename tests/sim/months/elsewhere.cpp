#include "tests/sim/months/elsewhere.hpp"

#include "tests/sim/months/fleet.hpp"

namespace agentd::sim::months {
namespace {

using namespace std::chrono;
using port::Failure;
using port::Outcome;
using port::Status;

}  // namespace

Millis Elsewhere::time_of(std::string_view agent_id) {
  return is_slow(agent_id) ? dice_.between(1min, 150min) : dice_.between(100ms, 60s);
}

Async<std::expected<port::Answer, port::ModelError>> Elsewhere::complete(port::Completion completion, std::stop_token stop) {
  const port::ModelError stopped{Status::cancelled, Failure::other, "stopped", {}};
  if (life_->dead()) co_return std::unexpected(stopped);
  const auto waited = co_await pass(*life_, std::min(completion.timeout, time_of(completion.agent_id)), stop);
  if (waited != Wait::whole) co_return std::unexpected(stopped);
  if (dice_.percent(3)) co_return std::unexpected(port::ModelError{Status::retryable, Failure::server, "it is down", {}});
  port::Answer answer;
  answer.text = "nothing since " + format_instant(life_->world.clock.now());
  answer.usage = port::Usage{.input_tokens = static_cast<std::int64_t>(20 + dice_.below(80)), .output_tokens = 40};
  co_return answer;
}

Async<Outcome> Elsewhere::run(port::TaskRun task, std::stop_token stop) {
  if (life_->dead()) co_return Outcome{Status::cancelled, "stopped", {}};
  const bool gate = task.call_id.contains("/gate/");
  const auto waited = co_await pass(*life_, gate ? Millis(20) : time_of(task.agent_id), stop);
  if (waited != Wait::whole) co_return Outcome{Status::cancelled, "stopped", {}};
  if (dice_.percent(2)) co_return Outcome{dice_.of({Status::terminal, Status::retryable}), "it failed", {}};
  const auto state = format_instant(life_->world.clock.now());
  if (gate && dice_.percent(50)) co_return Outcome{Status::ok, R"({"proceed":false,"result":"nothing is new"})", {}};
  if (gate) co_return Outcome{Status::ok, R"({"proceed":true,"state":")" + state + "\"}", {}};
  co_return Outcome{Status::ok, R"({"result":"done","state":")" + state + "\"}", {}};
}

}  // namespace agentd::sim::months
