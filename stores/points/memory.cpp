#include "memory.hpp"

#include <agentd/sdk/words.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "key.hpp"
#include "ranking.hpp"

namespace agentd::points {
namespace {

constexpr std::size_t kMostCandidates = 1'000;
constexpr std::size_t kRemovedAtATime = 1'000;
constexpr std::size_t kMostNeighbours = 16'384;

using BySpace = std::map<std::string, std::vector<Row>>;

std::chrono::milliseconds now() { return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()); }

[[noreturn]] void unequal(const std::string& space, std::uint64_t kept, std::uint64_t given) {
  throw sdk::Error("vectors of space \"" + space + "\" have " + std::to_string(kept) + " dimensions here, not " + std::to_string(given) + "; give the other model a name of its own, or remove what is kept of this one");
}

// The later of two with one id, at the place of the first.
std::vector<Row> rows_of(const std::vector<sdk::MemoryEntry>& entries) {
  std::vector<Row> rows;
  std::unordered_map<std::string, std::size_t> at;
  for (const auto& entry : entries) {
    auto key = entry_key(entry.agent_id, entry.id);
    const auto [place, is_new] = at.try_emplace(key, rows.size());
    if (is_new) rows.emplace_back();
    rows[place->second] = {{std::move(key), 0, 0, entry.vector.empty() ? "" : entry.space}, entry};
  }
  return rows;
}

std::vector<std::string> keys_of(const std::vector<Row>& rows) {
  std::vector<std::string> keys;
  for (const auto& row : rows) keys.push_back(row.version.key);
  return keys;
}

void place(Shelf& shelf, Positions& positions, std::vector<Row>& rows, const std::vector<Version>& before) {
  std::unordered_map<std::string, std::uint64_t> known;
  for (const auto& version : before) known[version.key] = version.position;
  std::map<std::string, std::vector<Row*>> fresh;
  for (auto& row : rows) {
    if (const auto found = known.find(row.version.key); found != known.end()) row.version.position = found->second;
    else fresh[row.entry.agent_id].push_back(&row);
  }
  for (auto& [agent, its_rows] : fresh) {
    auto next = positions.take(now(), its_rows.size(), 0);
    if (const auto newest = shelf.newest(agent, next); newest != 0) next = positions.take(now(), its_rows.size(), newest);
    for (auto* row : its_rows) row->version.position = next++;
  }
}

BySpace with_vectors(const std::vector<Row>& rows) {
  BySpace by_space;
  for (const auto& row : rows) {
    if (row.entry.vector.empty()) continue;
    auto& others = by_space[row.entry.space];
    if (!others.empty() && others.front().entry.vector.size() != row.entry.vector.size()) unequal(row.entry.space, others.front().entry.vector.size(), row.entry.vector.size());
    others.push_back(row);
  }
  return by_space;
}

// What is left behind counts for nothing, so that failing to clear it away is no failure of what was asked for.
void clear_away(Shelf& shelf, const sdk::Host& host, const std::vector<Version>& versions) {
  std::map<std::string, std::vector<std::string>> by_space;
  for (const auto& version : versions)
    if (!version.space.empty()) by_space[version.space].push_back(vector_key(version.key, version.revision));
  for (const auto& [space, keys] : by_space) {
    try {
      shelf.drop_vectors(space, keys);
    } catch (const sdk::Error& error) {
      host.log(sdk::Level::warn, std::to_string(keys.size()) + " vectors of space \"" + space + "\" that belong to nothing any more are left behind: " + error.what());
    }
  }
}

std::vector<sdk::MemoryEntry> entries_of(std::vector<Row> rows) {
  std::vector<sdk::MemoryEntry> entries;
  for (auto& row : rows) entries.push_back(std::move(row.entry));
  return entries;
}

std::vector<sdk::MemoryEntry> nearest(Shelf& shelf, const sdk::MemoryQuery& query) {
  const auto dimensions = shelf.dimensions(query.space);
  if (!dimensions || query.limit == 0) return {};
  if (*dimensions != query.vector.size()) {
    if (shelf.drop_empty(query.space)) return {};
    unequal(query.space, *dimensions, query.vector.size());
  }
  for (std::size_t asked = std::min<std::size_t>(query.limit * 2 + 8, kMostNeighbours);; asked = std::min(asked * 4, kMostNeighbours)) {
    const auto near = shelf.nearest(query, asked);
    std::unordered_map<std::string, Row> rows;
    std::vector<std::string> keys;
    for (const auto& one : near) keys.push_back(one.key);
    for (auto& row : shelf.rows(keys)) {
      auto key = row.version.key;
      rows.insert_or_assign(std::move(key), std::move(row));
    }
    std::vector<sdk::MemoryEntry> found;
    for (const auto& one : near) {
      const auto row = rows.find(one.key);
      if (row == rows.end() || row->second.version.revision != one.revision || row->second.version.space != query.space) continue;
      found.push_back(row->second.entry);
      found.back().score = one.score;
    }
    if (found.size() < query.limit && near.size() >= asked && asked < kMostNeighbours) continue;  // there may be more behind vectors that count for nothing
    std::ranges::sort(found, [](const auto& a, const auto& b) { return a.score != b.score ? a.score > b.score : a.position > b.position; });
    if (found.size() > query.limit) found.resize(query.limit);
    return found;
  }
}

}  // namespace

void put(Shelf& shelf, Positions& positions, const sdk::Host& host, const std::vector<sdk::MemoryEntry>& entries) {
  if (entries.empty()) return;
  auto rows = rows_of(entries);
  const auto by_space = with_vectors(rows);
  for (const auto& [space, its_rows] : by_space) {
    const auto wanted = its_rows.front().entry.vector.size();
    const auto kept = shelf.dimensions(space);
    if (kept && *kept != wanted && !shelf.drop_empty(space)) unequal(space, *kept, wanted);
  }
  const auto before = shelf.versions(keys_of(rows));
  place(shelf, positions, rows, before);
  const auto revision = positions.take(now(), 1, 0);
  for (auto& row : rows) row.version.revision = revision;
  for (const auto& [space, its_rows] : with_vectors(rows)) shelf.keep_vectors(space, its_rows);
  shelf.keep(rows);
  clear_away(shelf, host, before);
}

// A page ends between two positions: should two entries have the same, the next page has both.
std::vector<sdk::MemoryEntry> list(Shelf& shelf, const sdk::MemoryQuery& query) {
  if (query.limit == 0) return {};
  auto rows = shelf.page(query, query.limit + 1);
  if (rows.size() > query.limit) {
    const auto next = rows.back().entry.position;
    rows.pop_back();
    while (rows.size() > 1 && rows.back().entry.position == next) rows.pop_back();
  }
  return entries_of(std::move(rows));
}

std::vector<sdk::MemoryEntry> search(Shelf& shelf, const sdk::MemoryQuery& query) {
  if (!query.vector.empty()) return nearest(shelf, query);
  const auto phrases = sdk::phrases_of(query.text);
  if (phrases.empty() || query.limit == 0) return {};
  return best(entries_of(shelf.candidates(query, phrases, kMostCandidates)), phrases, query.limit);
}

std::uint64_t remove(Shelf& shelf, const sdk::Host& host, const sdk::MemoryQuery& query) {
  std::set<std::string> removed;
  for (;;) {
    const auto versions = shelf.fitting(query, kRemovedAtATime);
    if (versions.empty()) return removed.size();
    std::vector<std::string> keys;
    for (const auto& version : versions) keys.push_back(version.key);
    shelf.drop(keys);
    removed.insert(keys.begin(), keys.end());
    clear_away(shelf, host, versions);
    if (versions.size() < kRemovedAtATime) return removed.size();
  }
}

}  // namespace agentd::points
