#include <agentd/abi/task.h>

#include <nlohmann/json.hpp>

#include "core/plugin/abi_text.hpp"
#include "core/plugin/outcome.hpp"
#include "core/plugin/ports.hpp"

namespace agentd::plugin {
namespace {

std::optional<std::string> wrong_answer(const std::string& value) {
  const auto answer = nlohmann::json::parse(value, nullptr, false);
  if (!answer.is_object()) return "something that is not a JSON object";
  for (const auto& [key, member] : answer.items()) {
    if (key != "result" && key != "proceed" && key != "params" && key != "state") return "a member that does not exist: \"" + key + "\"";
    if (key == "proceed" && !member.is_boolean()) return "a \"proceed\" that is not a boolean";
    if (key == "params" && !member.is_object()) return "\"params\" that are not an object";
  }
  return std::nullopt;
}

class TaskPort final : public port::Task {
 public:
  TaskPort(Instance& instance, const agentd_task_v1& table) : instance_(instance), table_(table) {}

  Async<port::Outcome> run(port::TaskRun run, std::stop_token stop) override {
    Instance::Start start = [this, &run](void* self, agentd_op op, std::int64_t timeout_ms) {
      const agentd_task_run r{sizeof r, 0, op, timeout_ms, str(run.call_id), str(run.agent_id), str(run.run_id), str(run.params), str(run.state)};
      table_.start(self, &r);
    };
    auto running = instance_.call(std::move(start), run.timeout, std::move(stop));
    auto got = co_await std::move(running);
    if (got.status == port::Status::ok)
      if (auto wrong = wrong_answer(got.value)) co_return broken_answer(instance_, std::move(*wrong));
    co_return got;
  }

 private:
  Instance& instance_;
  const agentd_task_v1& table_;
};

}  // namespace

Async<Result<std::unique_ptr<port::Task>>> open_task(Instances& instances, Catalog::Found found, std::string name, std::string settings) {
  const auto& table = *static_cast<const agentd_task_v1*>(found.component->table);
  if (!table.create || !table.destroy || !table.start) co_return fail("plugin \"" + found.library->name + "\" leaves out a slot that a task must have");
  const Frame frame{table.create, table.destroy, table.cancel};
  auto opening = instances.open(std::move(name), *found.library, *found.component, frame, nullptr, std::move(settings));
  const auto instance = co_await std::move(opening);
  if (!instance) co_return std::unexpected(instance.error());
  co_return std::make_unique<TaskPort>(**instance, table);
}

}  // namespace agentd::plugin
