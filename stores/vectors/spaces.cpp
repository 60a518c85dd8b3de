#include "stores/vectors/spaces.hpp"

#include <map>

namespace agentd::stores {
namespace {

[[noreturn]] void refuse(const std::string& what, std::size_t has, const std::string& space, std::size_t kept) {
  throw sdk::Error(what + " has a vector of " + std::to_string(has) + " dimensions, and those of space \"" + space + "\" have " + std::to_string(kept));
}

}  // namespace

void check_spaces(const std::vector<sdk::MemoryEntry>& entries, const std::function<std::size_t(const std::string&)>& kept_of) {
  std::map<std::string, std::size_t> dimensions;
  for (const auto& entry : entries) {
    const auto has = entry.vector.size();
    if (has == 0) continue;
    const auto [space, is_new] = dimensions.try_emplace(entry.space, 0);
    if (is_new) space->second = kept_of(entry.space);
    if (space->second == 0) space->second = has;
    if (space->second != has) refuse("entry \"" + entry.id + "\"", has, entry.space, space->second);
  }
}

void check_space(const sdk::MemoryQuery& query, std::size_t kept) {
  if (kept != 0 && query.vector.size() != kept) refuse("the search", query.vector.size(), query.space, kept);
}

}  // namespace agentd::stores
