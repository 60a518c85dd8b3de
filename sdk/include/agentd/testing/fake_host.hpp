// A small host for a plugin author's own unit tests. It loads nothing: compile the plugin's sources into the test.
//
//   #include <agentd/testing/fake_host.hpp>
//   TEST(Geometry, KnowsAreas) {
//     agentd::testing::FakeHost host;
//     auto geometry = host.create("geometry");
//     EXPECT_EQ(geometry.call("calculate_area", R"({"length": 3, "width": 4})").value, "12");
//   }
//
// Bodies run on real threads, one at a time per instance unless the component is concurrent; time for timers stands still until advance().
// It checks neither settings nor arguments against their schema: a test may send anything. What a component has no slot for, a toolset's
// run() for one, is a std::logic_error that says so.
#pragma once
#include <agentd/sdk/http.hpp>
#include <agentd/testing/fake_instance.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

extern "C" const agentd_plugin* AGENTD_ENTRY(void);

namespace agentd::testing {

// An instance of one component. Everything that waits gives up, with an exception, after 20 s.
class FakeComponent {
 public:
  FakeComponent(FakeWorld& world, const agentd_component& component, std::string_view settings)
      : component_(&component), instance_(std::make_unique<FakeInstance>(world, (component.flags & AGENTD_CONCURRENT) != 0)) {
    const agentd_op op = instance_->open(timeout);
    const std::string copy(settings);
    auto create = *static_cast<const agentd_create_fn*>(component.table);  // every table begins with create and destroy
    instance_->workers.post([this_instance = instance_.get(), create, op, copy] { create(this_instance, op, sdk::str(copy)); });
    created_ = instance_->wait(op);
  }
  FakeComponent(FakeComponent&&) = default;
  ~FakeComponent() {
    if (!instance_ || !instance_->self) return;
    const agentd_op op = instance_->open(timeout);
    auto destroy = static_cast<const Head*>(component_->table)->destroy;
    instance_->workers.post([self = instance_->self, destroy, op] { destroy(self, op); });
    (void)instance_->wait(op);
  }
  const Ended& created() const { return created_; }  // how create ended; nothing else may be called when it failed

  // ---- toolsets
  const std::vector<PublishedTool>& tools() const { return instance_->tools; }
  Ended call(std::string_view tool, std::string_view arguments = "{}", uint64_t scope = 0) { return wait(start(tool, arguments, scope)); }
  agentd_op start(std::string_view tool, std::string_view arguments = "{}", uint64_t scope = 0) {
    return send_call(slot(&agentd_toolset_v1::start, "start"), tool, arguments, scope);
  }
  Ended reconcile(std::string_view tool, std::string_view arguments = "{}", uint64_t scope = 0) {
    return wait(send_call(slot(&agentd_toolset_v1::reconcile, "reconcile"), tool, arguments, scope));
  }
  bool binds() const { return table<agentd_toolset_v1>().bind != nullptr; }
  Ended bind(std::string_view settings) {  // its value is the number to call with as scope
    const auto bind_slot = slot(&agentd_toolset_v1::bind, "bind");
    const agentd_op op = instance_->open(timeout);
    bind_slot(instance_->self, op, sdk::str(settings));
    return wait(op);
  }

  // ---- tasks
  Ended run(std::string_view params = "{}", std::string_view state = "null") {
    const auto start_slot = slot(&agentd_task_v1::start, "start");
    const agentd_task_run record{sizeof record, 0, instance_->open(timeout), timeout.count(), sdk::str(call_id), sdk::str("agent"), sdk::str("run"),
                                 sdk::str(params), sdk::str(state)};
    start_slot(instance_->self, &record);
    return wait(record.op);
  }

  // ---- providers: messages are JSON objects of the chat-completions format
  Ended complete(const std::vector<std::pair<sdk::Role, std::string>>& messages, std::string_view options = "{}", std::string_view tools = "") {
    return wait(start_complete(messages, options, tools));
  }
  agentd_op start_complete(const std::vector<std::pair<sdk::Role, std::string>>& messages, std::string_view options = "{}",
                           std::string_view tools = "") {
    const auto complete_slot = slot(&agentd_provider_v1::complete, "complete");
    std::vector<agentd_message> records;
    std::vector<const agentd_message*> pointers;
    for (const auto& [role, json] : messages) {
      records.push_back({sizeof(agentd_message), static_cast<int32_t>(role), sdk::str(json), sdk::str(""), sdk::str("")});
    }
    for (const auto& record : records) pointers.push_back(&record);
    const agentd_completion record{sizeof record, streamed ? uint32_t{AGENTD_COMPLETION_STREAM} : 0u, instance_->open(timeout), timeout.count(), sdk::str(call_id),
                                   sdk::str("agent"), sdk::str("run"), sdk::str("model"), pointers.data(), pointers.size(), sdk::str(tools),
                                   sdk::str(options)};
    complete_slot(instance_->self, &record);
    return record.op;
  }
  bool embeds() const { return table<agentd_provider_v1>().embed != nullptr; }
  Ended embed(const std::vector<std::string>& texts) { return wait(start_embed(texts)); }
  agentd_op start_embed(const std::vector<std::string>& texts) {
    const auto embed_slot = slot(&agentd_provider_v1::embed, "embed");
    std::vector<agentd_str> records;
    for (const auto& text : texts) records.push_back(sdk::str(text));
    const agentd_embed record{sizeof record, 0, instance_->open(timeout), timeout.count(), sdk::str("model"), records.data(), records.size()};
    embed_slot(instance_->self, &record);
    return record.op;
  }

  // ---- memory stores
  Ended put(const std::vector<sdk::MemoryEntry>& entries) {
    const auto put_slot = slot(&agentd_memory_v1::put, "put");
    std::vector<agentd_memory_entry> records;
    std::vector<const agentd_memory_entry*> pointers;
    for (const auto& entry : entries) records.push_back(sdk::detail::lend(entry));
    for (const auto& record : records) pointers.push_back(&record);
    const agentd_memory_put record{sizeof record, 0, instance_->open(timeout), timeout.count(), pointers.data(), pointers.size()};
    put_slot(instance_->self, &record);
    return wait(record.op);
  }
  Ended list(const sdk::MemoryQuery& query) { return send_query(slot(&agentd_memory_v1::list, "list"), query); }
  Ended search(const sdk::MemoryQuery& query) { return send_query(slot(&agentd_memory_v1::search, "search"), query); }
  Ended remove(const sdk::MemoryQuery& query) { return send_query(slot(&agentd_memory_v1::remove, "remove"), query); }

  // ---- event stores
  Ended append(const std::vector<sdk::Event>& events) {
    const auto append_slot = slot(&agentd_events_v1::append, "append");
    std::vector<agentd_event> records;
    std::vector<const agentd_event*> pointers;
    for (const auto& e : events) {
      records.push_back({sizeof(agentd_event), 0, sdk::str(e.id), sdk::str(e.type), sdk::str(e.agent_id), sdk::str(e.run_id),
                         sdk::str(e.session_id), e.timestamp_ms, sdk::str(e.payload)});
    }
    for (const auto& record : records) pointers.push_back(&record);
    const agentd_event_batch record{sizeof record, 0, instance_->open(timeout), timeout.count(), pointers.data(), pointers.size()};
    append_slot(instance_->self, &record);
    return wait(record.op);
  }

  // ---- operations under way
  Ended wait(agentd_op op) { return instance_->wait(op); }
  void cancel(agentd_op op) {
    instance_->mark_cancelled(op);
    if (const auto slot = cancel_slot()) slot(instance_->self, op);
  }
  void abandon(agentd_op op) { instance_->abandon(op); }                              // as a deadline does
  void advance(std::chrono::milliseconds time) { instance_->advance(time.count()); }  // runs the timers that are due
  int ready(int64_t fd, sdk::Io events) { return instance_->tell_ready(fd, static_cast<uint32_t>(events)); }  // calls who watches it; how many did

  std::chrono::milliseconds timeout{10000};  // of the next operations
  std::string call_id = "run/0/0";           // of the next calls
  bool streamed = true;                      // somebody listens to the next completions

 private:
  struct Head {
    agentd_create_fn create;
    agentd_destroy_fn destroy;
  };
  struct KindName {
    const char *interface_id, *with_article;
  };
  static KindName kind_of(const agentd_toolset_v1*) { return {AGENTD_TOOLSET_1, "a toolset"}; }
  static KindName kind_of(const agentd_task_v1*) { return {AGENTD_TASK_1, "a task"}; }
  static KindName kind_of(const agentd_provider_v1*) { return {AGENTD_PROVIDER_1, "a provider"}; }
  static KindName kind_of(const agentd_memory_v1*) { return {AGENTD_MEMORY_1, "a memory store"}; }
  static KindName kind_of(const agentd_events_v1*) { return {AGENTD_EVENTS_1, "an event store"}; }
  std::string name() const { return std::string(sdk::view(component_->name)); }
  std::string its_kind() const {
    const std::string_view id = sdk::view(component_->interface_id);
    for (const KindName& kind : {kind_of(static_cast<const agentd_toolset_v1*>(nullptr)), kind_of(static_cast<const agentd_task_v1*>(nullptr)),
                                 kind_of(static_cast<const agentd_provider_v1*>(nullptr)), kind_of(static_cast<const agentd_memory_v1*>(nullptr)),
                                 kind_of(static_cast<const agentd_events_v1*>(nullptr))}) {
      if (id == kind.interface_id) return kind.with_article;
    }
    return std::string(id);
  }
  template <class Table>
  const Table& table() const {
    const KindName wanted = kind_of(static_cast<const Table*>(nullptr));
    if (sdk::view(component_->interface_id) != wanted.interface_id) {
      throw std::logic_error(name() + " is " + its_kind() + ", not " + wanted.with_article);
    }
    return *static_cast<const Table*>(component_->table);
  }
  // What the component answers such a call with.
  template <class Table, class Slot>
  Slot slot(Slot Table::*member, const char* slot_name) const {
    const Slot found = table<Table>().*member;
    if (!found) throw std::logic_error(name() + " has no " + slot_name);
    if (!instance_->self) throw std::logic_error(name() + " was not made: " + created_.value);
    return found;
  }
  agentd_cancel_fn cancel_slot() const {
    const std::string_view kind = sdk::view(component_->interface_id);
    if (kind == AGENTD_TOOLSET_1) return table<agentd_toolset_v1>().cancel;
    if (kind == AGENTD_TASK_1) return table<agentd_task_v1>().cancel;
    if (kind == AGENTD_PROVIDER_1) return table<agentd_provider_v1>().cancel;
    if (kind == AGENTD_MEMORY_1) return table<agentd_memory_v1>().cancel;
    return table<agentd_events_v1>().cancel;
  }
  template <class Slot>
  agentd_op send_call(Slot start_slot, std::string_view tool, std::string_view arguments, uint64_t scope) {
    const agentd_call record{sizeof record, 0, instance_->open(timeout), timeout.count(), scope, sdk::str(call_id), sdk::str("agent"),
                             sdk::str("run"), sdk::str(tool), sdk::str(arguments)};
    start_slot(instance_->self, &record);
    return record.op;
  }
  template <class Slot>
  Ended send_query(Slot query_slot, const sdk::MemoryQuery& q) {
    const agentd_memory_query record{sizeof record, static_cast<int32_t>(q.type), instance_->open(timeout), timeout.count(), sdk::str(q.agent_id),
                                     sdk::str(q.session_id), sdk::str(q.id), sdk::str(q.text), q.before, q.limit,
                                     q.vector.empty() ? nullptr : q.vector.data(), q.vector.size(), sdk::str(q.space)};
    query_slot(instance_->self, &record);
    return wait(record.op);
  }

  const agentd_component* component_;
  std::unique_ptr<FakeInstance> instance_;
  Ended created_;
};

class FakeHost {
 public:
  explicit FakeHost(const agentd_plugin* plugin = AGENTD_ENTRY()) : plugin_(plugin) {}

  // An instance of the plugin's component of that name; an exception when create fails.
  FakeComponent create(std::string_view component, std::string_view settings = "{}") {
    FakeComponent made = try_create(component, settings);
    if (!made.created().ok()) throw std::runtime_error("create: " + made.created().value);
    return made;
  }
  FakeComponent try_create(std::string_view component, std::string_view settings = "{}") {
    return FakeComponent(world_, find(component), settings);
  }
  std::string settings_schema(std::string_view component) const { return std::string(sdk::view(find(component).settings_schema)); }
  const agentd_plugin& plugin() const { return *plugin_; }

  // Answers every request; without it a request is refused. Set before create.
  void answer_http(std::function<FakeAnswer(const FakeRequest&)> f) { world_.http = std::move(f); }
  void without(const char* service_id) { world_.absent.insert(service_id); }

  std::vector<std::string> logs() const { return read(world_.logs); }
  std::vector<FakeRequest> requests() const { return read(world_.requests); }
  std::map<std::string, std::string> kv() const { return read(world_.kv); }
  double metric(const std::string& name) const { return read(world_.metrics)[name]; }
  int stale_finishes() const { return read(world_.stale_finishes); }

 private:
  template <class T>
  T read(const T& value) const {
    const std::lock_guard lock(world_.mutex);
    return value;
  }
  const agentd_component& find(std::string_view name) const {
    for (uint32_t i = 0; i < plugin_->component_count; ++i) {
      if (sdk::view(plugin_->components[i]->name) == name) return *plugin_->components[i];
    }
    throw std::runtime_error("the plugin has no component \"" + std::string(name) + "\"");
  }
  const agentd_plugin* plugin_;
  FakeWorld world_;
};

}  // namespace agentd::testing
