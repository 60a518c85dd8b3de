#include <agentd/abi/memory.h>

#include <algorithm>
#include <charconv>

#include "core/base/json_text.hpp"
#include "core/plugin/abi_text.hpp"
#include "core/plugin/outcome.hpp"
#include "core/plugin/ports.hpp"
#include "core/plugin/vector.hpp"

namespace agentd::plugin {
namespace {

// What a list or search gives, in order.
struct Entries final : Capture {
  explicit Entries(std::size_t most) : limit(most) {}
  std::size_t limit;
  std::vector<port::MemoryEntry> list;
};

const float* data(const std::vector<float>& vector) { return vector.empty() ? nullptr : vector.data(); }

agentd_memory_entry to_abi(const port::MemoryEntry& e) {
  return {sizeof(agentd_memory_entry), static_cast<std::int32_t>(e.type), str(e.agent_id), str(e.session_id), str(e.id), str(e.text), str(e.json),
          e.created.time_since_epoch().count(), e.position, e.score, data(e.vector), e.vector.size(), str(e.space)};
}

bool is_entry(const agentd_memory_entry* e) {
  return e && e->size >= sizeof(agentd_memory_entry) && e->type >= AGENTD_MEMORY_EPISODIC && e->type <= AGENTD_MEMORY_PROCEDURAL && is_sound(e->agent_id) &&
         is_sound(e->session_id) && is_sound(e->id) && is_sound(e->text) && is_sound(e->json);
}

port::MemoryEntry from_abi(const agentd_memory_entry& e) {
  return {static_cast<port::MemoryType>(e.type), std::string(view(e.agent_id)), std::string(view(e.session_id)), std::string(view(e.id)), to_utf8(view(e.text)),
          std::string(view(e.json)), Instant(Millis(e.created_ms)), e.position, e.score, {}, {}};
}

// [any] Entries beyond the limit are left out, and the plugin is told to stop.
std::int32_t take_entries(agentd_host* host, agentd_op op, const agentd_memory_entry* const* entries, std::uint64_t count) noexcept {
  if (count > 0 && !entries) return AGENTD_DENIED;
  std::vector<port::MemoryEntry> got;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (!is_entry(entries[i])) return AGENTD_DENIED;
    got.push_back(from_abi(*entries[i]));
  }
  bool full = false;
  const auto status = Instance::of(host).gather<Entries>(op, [&](Entries& into) {
    for (auto& e : got) {
      full = into.list.size() == into.limit;
      if (full) break;
      into.list.push_back(std::move(e));
    }
  });
  return status == AGENTD_OK && full ? AGENTD_BUSY : status;
}

class MemoryServices final : public Extension {
 public:
  const void* service(std::string_view id) const override {
    static constexpr agentd_host_memories_v1 kMemories{take_entries};
    return id == AGENTD_HOST_MEMORIES_1 ? &kMemories : nullptr;
  }
};

class MemoryPort final : public port::MemoryStore {
 public:
  using Slot = void (*)(void* self, const agentd_memory_query* query);
  using List = Result<std::vector<port::MemoryEntry>>;

  MemoryPort(Instance& instance, const agentd_memory_v1& table) : instance_(instance), table_(table) {}

  bool has_vectors() const override { return instance_.component().vectors; }

  Async<Result<void>> put(std::vector<port::MemoryEntry> entries, Millis timeout) override {
    if (entries.empty()) co_return Result<void>();
    for (const auto& e : entries)
      if (auto fine = check(e.vector, e.space); !fine) co_return fail("entry \"" + e.id + "\" has " + fine.error().message);
    Instance::Start start = [this, &entries](void* self, agentd_op op, std::int64_t timeout_ms) { send(self, op, timeout_ms, entries); };
    auto putting = instance_.call(std::move(start), std::min(timeout, kStoreTimeout), {});
    auto got = co_await std::move(putting);
    if (got.status != port::Status::ok) co_return std::unexpected(to_error(std::move(got)));
    co_return Result<void>();
  }

  Async<List> list(port::MemoryQuery query) override { return read(table_.list, std::move(query)); }
  Async<List> search(port::MemoryQuery query) override {
    if (auto fine = check(query.vector, query.space); !fine) co_return fail("the search has " + fine.error().message);
    auto reading = read(table_.search, std::move(query));
    co_return co_await std::move(reading);
  }

  Async<Result<std::uint64_t>> remove(port::MemoryQuery query) override {
    auto asking = ask(table_.remove, query, nullptr);
    auto got = co_await std::move(asking);
    if (got.status != port::Status::ok) co_return std::unexpected(to_error(std::move(got)));
    std::uint64_t removed = 0;
    const auto* const end = got.value.data() + got.value.size();
    if (const auto [at, error] = std::from_chars(got.value.data(), end, removed); error != std::errc() || at != end)
      co_return fail(instance_.who() + " answered remove with something that is not a number");
    co_return removed;
  }

 private:
  // An error completes "... has".
  Result<void> check(const std::vector<float>& vector, const std::string& space) const {
    if (vector.empty()) return {};
    if (!has_vectors()) return fail("a vector, and " + instance_.who() + " keeps none");
    if (space.empty()) return fail("a vector of no space");
    if (const auto flaw = flaw_of(vector)) return fail("a vector " + *flaw);
    return {};
  }

  Async<List> read(Slot slot, port::MemoryQuery query) {
    Entries entries(query.limit);
    auto asking = ask(slot, query, &entries);
    auto got = co_await std::move(asking);
    if (got.status != port::Status::ok) co_return std::unexpected(to_error(std::move(got)));
    for (const auto& e : entries.list) {
      if (e.agent_id != query.agent_id) co_return fail(instance_.who() + " answered with an entry of another agent");
      if (!e.json.empty() && !is_json(e.json)) co_return fail(instance_.who() + " answered with an entry whose json is not JSON");
    }
    co_return std::move(entries.list);
  }

  // query and entries outlive it.
  Async<port::Outcome> ask(Slot slot, const port::MemoryQuery& query, Entries* entries) {
    Instance::Start start = [slot, &query](void* self, agentd_op op, std::int64_t timeout_ms) {
      const agentd_memory_query q{sizeof q,        static_cast<std::int32_t>(query.type), op, timeout_ms, str(query.agent_id), str(query.session_id), str(query.id),
                                  str(query.text), query.before, query.limit, data(query.vector), query.vector.size(), str(query.space)};
      slot(self, &q);
    };
    auto asking = instance_.call(std::move(start), query.timeout, {}, entries);
    co_return co_await std::move(asking);
  }

  void send(void* self, agentd_op op, std::int64_t timeout_ms, const std::vector<port::MemoryEntry>& entries) const {
    std::vector<agentd_memory_entry> list;
    list.reserve(entries.size());
    std::vector<const agentd_memory_entry*> pointers;
    pointers.reserve(entries.size());
    for (const auto& e : entries) pointers.push_back(&list.emplace_back(to_abi(e)));
    const agentd_memory_put p{sizeof p, 0, op, timeout_ms, pointers.data(), pointers.size()};
    table_.put(self, &p);
  }

  Instance& instance_;
  const agentd_memory_v1& table_;
};

}  // namespace

Async<Result<std::unique_ptr<port::MemoryStore>>> open_memory(Instances& instances, Catalog::Found found, std::string name, std::string settings) {
  const auto& table = *static_cast<const agentd_memory_v1*>(found.component->table);
  if (!table.create || !table.destroy || !table.put || !table.list || !table.search || !table.remove)
    co_return fail("plugin \"" + found.library->name + "\" leaves out a slot that a memory store must have");
  const Frame frame{table.create, table.destroy, table.cancel};
  auto opening = instances.open(std::move(name), *found.library, *found.component, frame, std::make_unique<MemoryServices>(), std::move(settings));
  const auto instance = co_await std::move(opening);
  if (!instance) co_return std::unexpected(instance.error());
  co_return std::make_unique<MemoryPort>(**instance, table);
}

}  // namespace agentd::plugin
