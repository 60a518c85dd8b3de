// What agents remember, in Qdrant: the component `qdrant` of agentd.memory/1.
#pragma once
#include <agentd/sdk/memory.hpp>

#include "settings.hpp"
#include "shelf.hpp"
#include "stores/points/positions.hpp"

namespace agentd::qdrant {

// Any thread.
class Memory final : public sdk::MemoryStore {
 public:
  using Config = Settings;
  static constexpr bool concurrent = true;
  static constexpr bool vectors = true;
  Memory(const Settings& settings, const sdk::Host& host);
  void put(const std::vector<sdk::MemoryEntry>& entries) override;
  std::vector<sdk::MemoryEntry> list(const sdk::MemoryQuery& query) override;
  std::vector<sdk::MemoryEntry> search(const sdk::MemoryQuery& query) override;
  uint64_t remove(const sdk::MemoryQuery& query) override;

 private:
  const sdk::Host host_;
  const std::chrono::milliseconds timeout_;
  points::Server server_;
  Collections collections_;
  points::Positions positions_;
};

}  // namespace agentd::qdrant
