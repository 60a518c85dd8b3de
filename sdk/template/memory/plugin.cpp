// A memory store: here one that forgets when the host stops. Replace what is here by your own, which keeps what it is given: a host takes
// put for durable when it returns. One that keeps vectors and searches by them says so with `static constexpr bool vectors = true;`.
#include <agentd/sdk/memory.hpp>

#include <algorithm>
#include <cstddef>
#include <sstream>
#include <string>
#include <vector>

using namespace agentd::sdk;

namespace {

bool fits(const MemoryEntry& entry, const MemoryQuery& query) {
  return entry.agent_id == query.agent_id && (query.type == MemoryType::any || entry.type == query.type) &&
         (query.session_id.empty() || entry.session_id == query.session_id);
}

// Letters of other alphabets stay as they are.
std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

// How many of the words occur: a search is for words in any order, not for a phrase.
int words_found(const std::string& words, const std::string& text) {
  const std::string where = lower(text);
  std::istringstream each(lower(words));
  int found = 0;
  for (std::string word; each >> word;) found += where.find(word) != where.npos ? 1 : 0;
  return found;
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
    std::vector<MemoryEntry> found;
    for (const auto& e : kept_) {
      const int words = fits(e, query) ? words_found(query.text, e.text) : 0;
      if (words > 0) found.push_back(e), found.back().score = words;
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
