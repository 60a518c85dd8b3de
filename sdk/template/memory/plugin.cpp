// A memory store: here one that forgets when the host stops. Replace what is here by your own.
#include <agentd/sdk/memory.hpp>

#include <algorithm>
#include <vector>

using namespace agentd::sdk;

namespace {

bool fits(const MemoryEntry& entry, const MemoryQuery& query) {
  return entry.agent_id == query.agent_id && (query.type == MemoryType::any || entry.type == query.type) &&
         (query.session_id.empty() || entry.session_id == query.session_id);
}

struct Notes : MemoryStore {
  void put(const std::vector<MemoryEntry>& entries) override {
    for (const MemoryEntry& entry : entries) {
      const auto same = std::find_if(kept_.begin(), kept_.end(), [&](const auto& e) { return e.agent_id == entry.agent_id && e.id == entry.id; });
      MemoryEntry& place = same == kept_.end() ? kept_.emplace_back() : *same;
      const uint64_t position = same == kept_.end() ? ++last_position_ : place.position;
      place = entry;
      place.position = position;
    }
  }
  std::vector<MemoryEntry> list(const MemoryQuery& query) override {
    std::vector<MemoryEntry> found;
    for (auto e = kept_.rbegin(); e != kept_.rend() && found.size() < query.limit; ++e) {
      if (fits(*e, query) && (query.before == 0 || e->position < query.before)) found.push_back(*e);
    }
    return found;
  }
  std::vector<MemoryEntry> search(const MemoryQuery& query) override {
    std::vector<MemoryEntry> found;
    for (const auto& e : kept_) {
      if (found.size() < query.limit && fits(e, query) && e.text.find(query.text) != e.text.npos) found.push_back(e), found.back().score = 1;
    }
    return found;
  }
  uint64_t remove(const MemoryQuery& query) override {
    const std::size_t before = kept_.size();
    const auto gone = [&](const auto& e) { return fits(e, query) && (query.id.empty() || e.id == query.id); };
    kept_.erase(std::remove_if(kept_.begin(), kept_.end(), gone), kept_.end());
    return before - kept_.size();
  }

 private:
  std::vector<MemoryEntry> kept_;  // in order of position
  uint64_t last_position_ = 0;
};

}  // namespace

AGENTD_PLUGIN("my_memory", "0.1.0", provides<Notes>("my_memory", "Keeps what agents remember until the host stops"), license{"MIT"})
