// What agents remember, in one SQLite file with a full-text index and vectors: the component `sqlite` of agentd.memory/1.
#pragma once
#include <agentd/sdk/memory.hpp>

#include "db.hpp"
#include "settings.hpp"
#include "vectors.hpp"

namespace agentd::sqlite {

// Bodies run one at a time. A put is one transaction, durable when it returns.
class Memory : public sdk::MemoryStore {
 public:
  using Config = Settings;
  static constexpr bool vectors = true;
  Memory(const Settings& settings, const sdk::Host& host);
  void put(const std::vector<sdk::MemoryEntry>& entries) override;
  std::vector<sdk::MemoryEntry> list(const sdk::MemoryQuery& query) override;
  std::vector<sdk::MemoryEntry> search(const sdk::MemoryQuery& query) override;
  uint64_t remove(const sdk::MemoryQuery& query) override;

 private:
  void put_one(const sdk::MemoryEntry& entry);
  void tidy(std::size_t written);
  std::vector<sdk::MemoryEntry> nearest(const sdk::MemoryQuery& query);
  bool may_hold(const sdk::MemoryQuery& query);
  Db db_;
  Statement put_, index_, unindex_, merge_, lasting_, search_, remove_;
  Statement list_agent_, list_session_, at_;
  Vectors vectors_;
  std::size_t written_ = 0;  // entries, since the index of words was last merged
};

}  // namespace agentd::sqlite
