// What the author of a memory store includes: what agents remember between runs.
//
//   struct Notes : MemoryStore {
//     explicit Notes(const Config&);
//     void put(const std::vector<MemoryEntry>& entries) override;                       // all or none; durable when it returns
//     std::vector<MemoryEntry> list(const MemoryQuery& query) override;                 // newest first
//     std::vector<MemoryEntry> search(const MemoryQuery& query) override;               // best first
//     uint64_t remove(const MemoryQuery& query) override;                               // how many
//   };
//   AGENTD_PLUGIN("notes", "1.0.0", provides<Notes>("notes", "Memory in a file"))
//
// All four run on a worker, one at a time per instance; `static constexpr bool concurrent = true;` lets several run at once. A store that
// keeps vectors and searches by them says `static constexpr bool vectors = true;`; others are given none.
#pragma once
#include <agentd/abi/memory.h>
#include <agentd/sdk/plugin.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace agentd::sdk {

AGENTD_SDK_SERVICE(agentd_host_memories_v1, AGENTD_HOST_MEMORIES_1)

enum class MemoryType : int32_t {
  any = 0,  // in queries only
  episodic = AGENTD_MEMORY_EPISODIC,
  long_term = AGENTD_MEMORY_LONG_TERM,
  procedural = AGENTD_MEMORY_PROCEDURAL,
};

struct MemoryEntry {
  MemoryType type = MemoryType::episodic;
  std::string agent_id;
  std::string session_id;  // empty for what belongs to the agent as a whole
  std::string id;          // unique per agent; putting an id again replaces the entry and keeps its place
  std::string text;        // what is searched
  std::string json;        // one JSON object, kept as it is
  int64_t created_ms = 0;  // since 1970 UTC
  uint64_t position = 0;   // the store's, above 0: order of first put within an agent
  double score = 0;        // search: larger fits better; by a vector: the cosine similarity
  std::vector<float> vector = {};  // in a put: where the text lies in meaning, or nothing; not given back
  std::string space = {};          // what made the vector: those of different spaces are never compared
};

struct MemoryQuery {
  MemoryType type = MemoryType::any;
  std::string agent_id;    // never empty: agents do not see each other
  std::string session_id;  // empty: every session
  std::string id;          // remove: this entry; empty: all that fit the rest
  std::string text;        // search: words in any language, not a query language
  uint64_t before = 0;     // list: entries with a smaller position; 0: from the newest
  uint64_t limit = 0;      // list and search: at most so many, 1 to 10,000
  std::vector<float> vector = {};  // search: the nearest by cosine among the entries with a vector of `space`, whatever `text` says
  std::string space = {};
};

class MemoryStore {
 public:
  using Config = sdk::Config;  // declare a struct of that name to have typed settings
  MemoryStore() = default;
  MemoryStore(const MemoryStore&) = delete;
  virtual ~MemoryStore() = default;

  virtual void put(const std::vector<MemoryEntry>& entries) = 0;
  virtual std::vector<MemoryEntry> list(const MemoryQuery& query) = 0;
  virtual std::vector<MemoryEntry> search(const MemoryQuery& query) = 0;
  virtual uint64_t remove(const MemoryQuery& query) = 0;
};

namespace detail {

inline std::vector<float> own(const float* values, uint64_t count) { return values ? std::vector<float>(values, values + count) : std::vector<float>(); }
inline MemoryEntry own(const agentd_memory_entry& e) {
  const auto text = [](agentd_str s) { return std::string(view(s)); };
  return {static_cast<MemoryType>(e.type), text(e.agent_id), text(e.session_id), text(e.id), text(e.text),
          text(e.json), e.created_ms, e.position, e.score, own(e.vector, e.dimensions), text(e.space)};
}
inline MemoryQuery own(const agentd_memory_query& q) {
  const auto text = [](agentd_str s) { return std::string(view(s)); };
  return {static_cast<MemoryType>(q.type), text(q.agent_id), text(q.session_id), text(q.id), text(q.text), q.before, q.limit,
          own(q.vector, q.dimensions), text(q.space)};
}
inline agentd_memory_entry lend(const MemoryEntry& e) {
  return {sizeof(agentd_memory_entry), static_cast<int32_t>(e.type), str(e.agent_id), str(e.session_id), str(e.id), str(e.text),
          str(e.json), e.created_ms, e.position, e.score, e.vector.empty() ? nullptr : e.vector.data(), e.vector.size(), str(e.space)};
}

// Hands the entries over in pieces, so that neither side holds a second copy of a long answer.
inline void give_entries(const Host& host, agentd_op op, const std::vector<MemoryEntry>& entries) {
  constexpr std::size_t kPiece = 256;
  const auto& memories = host.need<agentd_host_memories_v1>();
  for (std::size_t from = 0; from < entries.size(); from += kPiece) {
    const std::size_t to = (std::min)(entries.size(), from + kPiece);
    std::vector<agentd_memory_entry> records;
    std::vector<const agentd_memory_entry*> pointers;
    for (std::size_t i = from; i < to; ++i) records.push_back(lend(entries[i]));
    for (const auto& record : records) pointers.push_back(&record);
    if (memories.entries(host.raw(), op, pointers.data(), pointers.size()) != AGENTD_OK) {
      throw Error("the host wants no more entries", Failure::cancelled);
    }
  }
}

template <class T>
struct MemorySlots : Slots<Instance<T>> {
  static void put(void* self, const agentd_memory_put* record) noexcept {
    auto& instance = MemorySlots::of(self);
    with_call(instance.host, *record, instance.cancels, [&](Call& call) {
      std::vector<MemoryEntry> entries;
      for (uint64_t i = 0; i < record->count; ++i) entries.push_back(own(*record->entries[i]));
      start_on_worker(std::move(call), [&instance, entries = std::move(entries)](Call& c) {
        store(instance).put(entries);
        CallAccess::ending(c).json("null");
      });
    });
  }
  static void list(void* self, const agentd_memory_query* record) noexcept {
    query(self, *record, [](MemoryStore& s, const MemoryQuery& q, Call& c) { give(c, s.list(q)); });
  }
  static void search(void* self, const agentd_memory_query* record) noexcept {
    query(self, *record, [](MemoryStore& s, const MemoryQuery& q, Call& c) { give(c, s.search(q)); });
  }
  static void remove(void* self, const agentd_memory_query* record) noexcept {
    query(self, *record, [](MemoryStore& s, const MemoryQuery& q, Call& c) { CallAccess::ending(c).json(std::to_string(s.remove(q))); });
  }
  static const agentd_memory_v1* table() {
    static const agentd_memory_v1 all{&MemorySlots::create, &MemorySlots::destroy, &put, &list, &search, &remove, &MemorySlots::cancel};
    return &all;
  }

 private:
  static MemoryStore& store(Instance<T>& instance) { return *instance.object; }
  static void give(Call& call, const std::vector<MemoryEntry>& entries) {
    give_entries(call.host(), call.op(), entries);
    CallAccess::ending(call).json("null");
  }
  template <class F>
  static void query(void* self, const agentd_memory_query& record, F answer) noexcept {
    auto& instance = MemorySlots::of(self);
    with_call(instance.host, record, instance.cancels, [&](Call& call) {
      start_on_worker(std::move(call), [&instance, answer, q = own(record)](Call& c) { answer(store(instance), q, c); });
    });
  }
};

template <class T>
struct Kind<T, std::enable_if_t<std::is_base_of_v<MemoryStore, T>>> {
  static constexpr const char* interface_id = AGENTD_MEMORY_1;
  static const void* table() { return MemorySlots<T>::table(); }
  static std::vector<std::string> services() { return {AGENTD_HOST_OPS_1, AGENTD_HOST_WORK_1, AGENTD_HOST_MEMORIES_1}; }
};

}  // namespace detail
}  // namespace agentd::sdk
