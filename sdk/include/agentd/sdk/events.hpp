// What the author of an event store includes.
//
//   struct Lines : EventStore {
//     void append(const EventBatch& batch) override { for (const Event& e : batch) ...; }   // durable when it returns
//   };
//   AGENTD_PLUGIN("lines", "1.0.0", provides<Lines>("lines", "Events as lines of a file"))
//
// append runs on a worker, one batch at a time. After an exception the host sends the same batch again: leave out the ids that came
// already.
#pragma once
#include <agentd/abi/events.h>
#include <agentd/sdk/plugin.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace agentd::sdk {

// Valid as long as its batch.
struct Event {
  std::string_view id;  // sorts in commit order
  std::string_view type, agent_id, run_id, session_id;
  int64_t timestamp_ms;      // since 1970 UTC
  std::string_view payload;  // one JSON object
};

// Some events, copied once out of the host's memory, in order.
class EventBatch {
 public:
  explicit EventBatch(const agentd_event_batch& batch) : timeout_(batch.timeout_ms) {
    std::size_t bytes = 0;
    for_each_text(batch, [&](agentd_str text) { bytes += static_cast<std::size_t>(text.size); });
    text_.reserve(bytes);  // so that views into it stay good while it fills
    events_.reserve(static_cast<std::size_t>(batch.count));
    for (uint64_t i = 0; i < batch.count; ++i) {
      const agentd_event& e = *batch.events[i];
      events_.push_back({keep(e.id), keep(e.type), keep(e.agent_id), keep(e.run_id), keep(e.session_id), e.timestamp_ms, keep(e.payload)});
    }
  }
  EventBatch(const EventBatch&) = delete;

  std::vector<Event>::const_iterator begin() const { return events_.begin(); }
  std::vector<Event>::const_iterator end() const { return events_.end(); }
  std::size_t size() const { return events_.size(); }
  const Event& operator[](std::size_t i) const { return events_[i]; }
  // How long the host waits for append, from its beginning: what is not kept by then is an Error, and comes again.
  std::chrono::milliseconds timeout() const { return timeout_; }

 private:
  template <class F>
  static void for_each_text(const agentd_event_batch& batch, F&& f) {
    for (uint64_t i = 0; i < batch.count; ++i) {
      const agentd_event& e = *batch.events[i];
      f(e.id), f(e.type), f(e.agent_id), f(e.run_id), f(e.session_id), f(e.payload);
    }
  }
  std::string_view keep(agentd_str text) {
    const std::size_t from = text_.size();
    text_.append(view(text));
    return std::string_view(text_).substr(from);
  }
  std::chrono::milliseconds timeout_;
  std::string text_;
  std::vector<Event> events_;
};

class EventStore {
 public:
  using Config = sdk::Config;  // declare a struct of that name to have typed settings
  EventStore() = default;
  EventStore(const EventStore&) = delete;
  virtual ~EventStore() = default;

  virtual void append(const EventBatch& batch) = 0;
};

namespace detail {

template <class T>
struct EventSlots : Slots<Instance<T>> {
  static void append(void* self, const agentd_event_batch* record) noexcept {
    auto& instance = EventSlots::of(self);
    with_call(instance.host, *record, instance.cancels, [&](Call& call) {
      auto batch = std::make_unique<const EventBatch>(*record);
      start_on_worker(std::move(call), [&instance, batch = std::move(batch)](Call& c) {
        static_cast<EventStore&>(*instance.object).append(*batch);
        CallAccess::ending(c).json("null");
      });
    });
  }
  static const agentd_events_v1* table() {
    static const agentd_events_v1 all{&EventSlots::create, &EventSlots::destroy, &append, &EventSlots::cancel};
    return &all;
  }
};

template <class T>
struct Kind<T, std::enable_if_t<std::is_base_of_v<EventStore, T>>> {
  static constexpr const char* interface_id = AGENTD_EVENTS_1;
  static const void* table() { return EventSlots<T>::table(); }
  static std::vector<std::string> services() { return {AGENTD_HOST_OPS_1, AGENTD_HOST_WORK_1}; }
};

}  // namespace detail
}  // namespace agentd::sdk
