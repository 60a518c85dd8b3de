#include <agentd/abi/toolset.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "core/plugin/abi_text.hpp"
#include "core/plugin/outcome.hpp"
#include "core/plugin/ports.hpp"
#include "core/plugin/published_tools.hpp"

namespace agentd::plugin {
namespace {

class ToolsetPort final : public port::Toolset {
 public:
  using Slot = void (*)(void* self, const agentd_call* call);

  ToolsetPort(Instance& instance, const agentd_toolset_v1& table, const PublishedTools& tools) : instance_(instance), table_(table), tools_(tools) {}

  port::ToolList tools() const override { return tools_.list(); }
  bool dynamic() const override { return instance_.component().dynamic; }

  Async<Result<std::uint64_t>> bind(std::string settings) override {
    if (!table_.bind) co_return fail(instance_.who() + " cannot be narrowed for an agent");
    auto key = nlohmann::json::parse(settings, nullptr, false).dump();  // equal settings are equal whatever their order
    if (const auto known = scopes_.find(key); known != scopes_.end()) co_return known->second;
    Instance::Start start = [this, &settings](void* self, agentd_op op, std::int64_t) { table_.bind(self, op, str(settings)); };
    auto binding = instance_.call(std::move(start), kBindTimeout, {});
    auto got = co_await std::move(binding);
    if (got.status != port::Status::ok) co_return std::unexpected(to_error(std::move(got)));
    std::uint64_t scope = 0;
    const auto* const end = got.value.data() + got.value.size();
    if (const auto [at, error] = std::from_chars(got.value.data(), end, scope); error != std::errc() || at != end || scope == 0)
      co_return fail(instance_.who() + " answered bind with something that is not a number greater than 0");
    co_return scopes_.emplace(std::move(key), scope).first->second;
  }

  Async<port::Outcome> call(port::ToolCall call, std::stop_token stop) override { return enter(table_.start, std::move(call), std::move(stop)); }

  Async<port::Outcome> reconcile(port::ToolCall call) override {
    if (!table_.reconcile) co_return port::Outcome{port::Status::unknown_outcome, instance_.who() + " cannot tell what became of a call", {}};
    auto asking = enter(table_.reconcile, std::move(call), {});
    co_return co_await std::move(asking);
  }

 private:
  static constexpr Millis kBindTimeout{30'000};

  Async<port::Outcome> enter(Slot slot, port::ToolCall call, std::stop_token stop) {
    Instance::Start start = [slot, &call](void* self, agentd_op op, std::int64_t timeout_ms) {
      const agentd_call c{sizeof c,       0, op, timeout_ms, call.scope, str(call.call_id), str(call.agent_id), str(call.run_id), str(call.tool),
                          str(call.arguments)};
      slot(self, &c);
    };
    auto calling = instance_.call(std::move(start), call.timeout, std::move(stop));
    co_return co_await std::move(calling);
  }

  Instance& instance_;
  const agentd_toolset_v1& table_;
  const PublishedTools& tools_;  // the instance's
  std::unordered_map<std::string, std::uint64_t> scopes_;  // by settings
};

}  // namespace

Async<Result<std::unique_ptr<port::Toolset>>> open_toolset(Instances& instances, Catalog::Found found, std::string name, std::string settings) {
  const auto& table = *static_cast<const agentd_toolset_v1*>(found.component->table);
  if (!table.create || !table.destroy || !table.start) co_return fail("plugin \"" + found.library->name + "\" leaves out a slot that a toolset must have");
  auto tools = std::make_unique<PublishedTools>();
  const auto& published = *tools;
  const Frame frame{table.create, table.destroy, table.cancel};
  auto opening = instances.open(std::move(name), *found.library, *found.component, frame, std::move(tools), std::move(settings));
  const auto instance = co_await std::move(opening);
  if (!instance) co_return std::unexpected(instance.error());
  if (auto why = published.complaint()) {
    auto closing = (*instance)->close();
    co_await std::move(closing);
    co_return fail(*why);
  }
  co_return std::make_unique<ToolsetPort>(**instance, table, published);
}

}  // namespace agentd::plugin
