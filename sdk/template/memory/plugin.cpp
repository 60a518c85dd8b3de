// A memory store: here one that forgets when the host stops. Replace what is here by your own, which keeps what it is given: a host takes
// put for durable when it returns. One that keeps vectors and searches by them says so with `static constexpr bool vectors = true;`.
#include <agentd/sdk/memory.hpp>
#include <agentd/sdk/words.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

using namespace agentd::sdk;

namespace {

bool fits(const MemoryEntry& entry, const MemoryQuery& query) {
  return entry.agent_id == query.agent_id && (query.type == MemoryType::any || entry.type == query.type) &&
         (query.session_id.empty() || entry.session_id == query.session_id);
}

// How many of the wanted words a text has, in any order; of two with as many, the shorter text fits better. 0: none.
double score_of(const std::vector<std::string>& wanted, const std::string& text) {
  const std::vector<std::string> words = words_of(text);
  const auto found = std::count_if(wanted.begin(), wanted.end(), [&](const auto& word) { return std::find(words.begin(), words.end(), word) != words.end(); });
  return found == 0 ? 0 : static_cast<double>(found) + 1 / (1 + static_cast<double>(words.size()));
}

struct Notes : MemoryStore {
  // All or none: what throws on the way leaves the store as it was.
  void put(const std::vector<MemoryEntry>& entries) override {
    auto kept = kept_;
    uint64_t last = last_position_;
    for (const MemoryEntry& entry : entries) {
      const auto same = std::find_if(kept.begin(), kept.end(), [&](const auto& e) { return e.agent_id == entry.agent_id && e.id == entry.id; });
      const bool is_new = same == kept.end();
      const uint64_t position = is_new ? ++last : same->position;
      MemoryEntry& place = is_new ? kept.emplace_back() : *same;
      place = entry;
      place.position = position;
    }
    kept_.swap(kept);
    last_position_ = last;
  }
  std::vector<MemoryEntry> list(const MemoryQuery& query) override {
    std::vector<MemoryEntry> found;
    for (auto e = kept_.rbegin(); e != kept_.rend() && found.size() < query.limit; ++e) {
      if (fits(*e, query) && (query.before == 0 || e->position < query.before)) found.push_back(*e);
    }
    return found;
  }
  std::vector<MemoryEntry> search(const MemoryQuery& query) override {
    const std::vector<std::string> wanted = words_of(query.text);
    std::vector<MemoryEntry> found;
    for (const auto& e : kept_) {
      const double score = fits(e, query) ? score_of(wanted, e.text) : 0;
      if (score > 0) found.push_back(e), found.back().score = score;
    }
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
    if (found.size() > query.limit) found.erase(found.begin() + static_cast<std::ptrdiff_t>(query.limit), found.end());
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
