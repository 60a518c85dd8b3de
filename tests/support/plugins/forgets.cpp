// Stores that break a promise each: one gives the oldest first, one ends its process at the second batch.
#include <agentd/sdk/events.hpp>
#include <agentd/sdk/memory.hpp>
#include <cstdlib>
using namespace agentd::sdk;

struct Oldest : MemoryStore {
  struct Config {
    std::string note;
    AGENTD_FIELDS(note)
  };
  explicit Oldest(const Config& config) {
    if (!config.note.empty()) throw Error("what was noted: " + config.note);
  }
  void put(const std::vector<MemoryEntry>& entries) override {
    for (auto entry : entries) entry.position = ++last_, kept_.push_back(entry);
  }
  std::vector<MemoryEntry> list(const MemoryQuery& query) override {
    std::vector<MemoryEntry> found;
    for (const auto& entry : kept_)
      if (entry.agent_id == query.agent_id && found.size() < query.limit) found.push_back(entry);
    return found;
  }
  std::vector<MemoryEntry> search(const MemoryQuery&) override { return {}; }
  uint64_t remove(const MemoryQuery&) override {
    const auto count = kept_.size();
    kept_.clear();
    return count;
  }

 private:
  std::vector<MemoryEntry> kept_;
  uint64_t last_ = 0;
};
struct Ends : EventStore {
  explicit Ends(const Config&) {}
  void append(const EventBatch&) override {
    if (++batches_ == 2) std::abort();
  }
  int batches_ = 0;
};
AGENTD_PLUGIN("forgets", "1", provides<Oldest>("oldest"), provides<Ends>("ends"))
