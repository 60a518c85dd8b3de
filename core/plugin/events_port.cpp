#include <agentd/abi/events.h>

#include "core/plugin/abi_text.hpp"
#include "core/plugin/outcome.hpp"
#include "core/plugin/ports.hpp"

namespace agentd::plugin {
namespace {

agentd_event to_abi(const port::Event& e) {
  return {sizeof(agentd_event), 0, str(e.id), str(e.type), str(e.agent_id), str(e.run_id), str(e.session_id), e.timestamp.time_since_epoch().count(), str(e.payload)};
}

class EventsPort final : public port::EventStore {
 public:
  EventsPort(Instance& instance, const agentd_events_v1& table, Timers& timers) : instance_(instance), table_(table), timers_(timers) {}

  Async<Result<void>> append(std::vector<port::Event> events) override {
    if (events.empty()) co_return Result<void>();
    auto turn = one_at_a_time_.try_enter();
    if (!turn) {
      auto waiting = one_at_a_time_.enter(timers_, kStoreTimeout, {});
      turn = co_await std::move(waiting);
    }
    if (!turn) co_return fail(ErrorClass::retryable, instance_.who() + " is still busy with the batch before");
    Instance::Start start = [this, &events](void* self, agentd_op op, std::int64_t timeout_ms) { send(self, op, timeout_ms, events); };
    auto appending = instance_.call(std::move(start), kStoreTimeout, {});
    auto got = co_await std::move(appending);
    if (got.status != port::Status::ok) co_return std::unexpected(to_error(std::move(got)));
    co_return Result<void>();
  }

 private:
  void send(void* self, agentd_op op, std::int64_t timeout_ms, const std::vector<port::Event>& events) const {
    std::vector<agentd_event> list;
    list.reserve(events.size());
    std::vector<const agentd_event*> pointers;
    pointers.reserve(events.size());
    for (const auto& e : events) pointers.push_back(&list.emplace_back(to_abi(e)));
    const agentd_event_batch batch{sizeof batch, 0, op, timeout_ms, pointers.data(), pointers.size()};
    table_.append(self, &batch);
  }

  Instance& instance_;
  const agentd_events_v1& table_;
  Timers& timers_;
  Admission one_at_a_time_{1};
};

}  // namespace

Async<Result<std::unique_ptr<port::EventStore>>> open_events(Instances& instances, Catalog::Found found, std::string name, std::string settings) {
  const auto& table = *static_cast<const agentd_events_v1*>(found.component->table);
  if (!table.create || !table.destroy || !table.append) co_return fail("plugin \"" + found.library->name + "\" leaves out a slot that an event store must have");
  const Frame frame{table.create, table.destroy, table.cancel};
  auto opening = instances.open(std::move(name), *found.library, *found.component, frame, nullptr, std::move(settings));
  const auto instance = co_await std::move(opening);
  if (!instance) co_return std::unexpected(instance.error());
  co_return std::make_unique<EventsPort>(**instance, table, (*instance)->world().timers);
}

}  // namespace agentd::plugin
