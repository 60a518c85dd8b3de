// Memory on a Shelf: what the four slots of agentd.memory/1 do there.
#pragma once
#include <agentd/sdk/plugin.hpp>

#include "positions.hpp"
#include "shelf.hpp"

namespace agentd::points {

void put(Shelf& shelf, Positions& positions, const sdk::Host& host, const std::vector<sdk::MemoryEntry>& entries);
std::vector<sdk::MemoryEntry> list(Shelf& shelf, const sdk::MemoryQuery& query);
// By words: looks at the newest 1,000 that have one of them.
std::vector<sdk::MemoryEntry> search(Shelf& shelf, const sdk::MemoryQuery& query);
std::uint64_t remove(Shelf& shelf, const sdk::Host& host, const sdk::MemoryQuery& query);

}  // namespace agentd::points
