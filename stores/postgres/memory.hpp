// What agents remember, with a search by words that an index answers, and by vectors: the component `postgres` of agentd.memory/1.
#pragma once
#include <agentd/sdk/memory.hpp>

#include "client.hpp"
#include "vectors.hpp"

namespace agentd::postgres {

// Bodies run one at a time. A put is one transaction, durable when it returns.
class Memory final : public sdk::MemoryStore {
 public:
  using Config = Settings;
  static constexpr bool vectors = true;
  Memory(const Settings& settings, const sdk::Host& host);

  void put(const std::vector<sdk::MemoryEntry>& entries) override;
  std::vector<sdk::MemoryEntry> list(const sdk::MemoryQuery& query) override;
  std::vector<sdk::MemoryEntry> search(const sdk::MemoryQuery& query) override;
  uint64_t remove(const sdk::MemoryQuery& query) override;

 private:
  std::vector<sdk::MemoryEntry> nearest(const sdk::MemoryQuery& query);
  Vectors vectors_;
  Client client_;
};

}  // namespace agentd::postgres
