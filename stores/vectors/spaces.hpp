// What a space is: all of its vectors have one number of dimensions, in the whole store.
#pragma once
#include <agentd/sdk/memory.hpp>

#include <functional>
#include <string>
#include <vector>

namespace agentd::stores {

// Throws, before anything is put, where an entry's vector has other dimensions than the space has, or than an earlier one of the same put.
// kept_of: the dimensions of the vectors that are kept of a space; 0: there are none.
void check_spaces(const std::vector<sdk::MemoryEntry>& entries, const std::function<std::size_t(const std::string& space)>& kept_of);

// The same for a search.
void check_space(const sdk::MemoryQuery& query, std::size_t kept);

}  // namespace agentd::stores
