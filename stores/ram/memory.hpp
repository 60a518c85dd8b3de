// What agents remember until the process ends.
#pragma once
#include <agentd/sdk/memory.hpp>

#include <map>
#include <string>
#include <unordered_map>

namespace agentd::ram {

// Bodies run one at a time. Of each agent at most max_entries are kept, the oldest go first.
class Memory : public sdk::MemoryStore {
 public:
  struct Config {
    int64_t max_entries = 10'000;
    AGENTD_FIELDS(max_entries)
  };
  static constexpr bool vectors = true;
  explicit Memory(const Config& config);
  void put(const std::vector<sdk::MemoryEntry>& entries) override;
  std::vector<sdk::MemoryEntry> list(const sdk::MemoryQuery& query) override;
  std::vector<sdk::MemoryEntry> search(const sdk::MemoryQuery& query) override;  // by BM25, or by the cosine, over all of the agent's entries
  uint64_t remove(const sdk::MemoryQuery& query) override;

 private:
  struct Space {
    std::size_t dimensions = 0;
    std::size_t vectors = 0;  // that are kept of it, of all agents
  };
  struct Kept {
    sdk::MemoryEntry entry;  // without its vector, which stands below
    std::vector<std::string> words;
    std::vector<float> unit;
    std::string space;
  };
  struct Agent {
    std::map<uint64_t, Kept> entries;  // by position
    std::unordered_map<std::string, uint64_t> places;
  };
  std::vector<sdk::MemoryEntry> nearest(const sdk::MemoryQuery& query);
  void hold(Kept& kept, const sdk::MemoryEntry& entry);
  void let_go(const Kept& kept);
  const std::size_t most_;
  uint64_t last_position_ = 0;
  std::unordered_map<std::string, Agent> agents_;
  std::map<std::string, Space> spaces_;
};

}  // namespace agentd::ram
