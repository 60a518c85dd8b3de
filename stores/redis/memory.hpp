// What agents remember, in Redis: the component `redis` of agentd.memory/1.
#pragma once
#include <agentd/sdk/memory.hpp>

#include <string>

#include "client.hpp"
#include "settings.hpp"

namespace agentd::redis {

// Any thread. A put is one script, which happens as a whole or not at all, and may come twice: its ids are the same.
class Memory : public sdk::MemoryStore {
 public:
  using Config = Settings;
  static constexpr bool concurrent = true;
  Memory(const Settings& settings, const sdk::Host& host);
  void put(const std::vector<sdk::MemoryEntry>& entries) override;
  std::vector<sdk::MemoryEntry> list(const sdk::MemoryQuery& query) override;
  std::vector<sdk::MemoryEntry> search(const sdk::MemoryQuery& query) override;
  uint64_t remove(const sdk::MemoryQuery& query) override;

 private:
  std::string keys_of(std::string_view agent) const;

  const std::string prefix_;
  Client client_;
};

}  // namespace agentd::redis
