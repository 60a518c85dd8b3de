#include "vectors.hpp"

#include <agentd/sdk/error.hpp>

#include "stores/vectors/spaces.hpp"

namespace agentd::sqlite {

// A vector is of length 1. It has a number of its own, which no other gets: an entry that is put again has another. agent and type are
// those of its entry, so that what is searched together stands together.
const char* const kVectorTables = R"(
CREATE TABLE spaces(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE vectors(id INTEGER PRIMARY KEY AUTOINCREMENT, position INTEGER NOT NULL UNIQUE, space INTEGER NOT NULL, agent TEXT NOT NULL, type INTEGER NOT NULL,
  vector BLOB NOT NULL);
CREATE INDEX vectors_by_set ON vectors(space, agent, type);
)";

namespace {

constexpr std::int64_t kTypes[] = {AGENTD_MEMORY_EPISODIC, AGENTD_MEMORY_LONG_TERM, AGENTD_MEMORY_PROCEDURAL};

}  // namespace

Vectors::Vectors(Db& db, std::filesystem::path file, const sdk::Host& host, std::int64_t most_compared)
    : db_(db),
      file_(std::move(file)),
      host_(host),
      most_compared_(most_compared),
      space_(db, "SELECT s.id,(SELECT length(vector) FROM vectors WHERE space=s.id LIMIT 1) FROM spaces s WHERE name=?1"),
      add_space_(db, "INSERT INTO spaces(name) VALUES(?1) ON CONFLICT(name) DO NOTHING"),
      put_(db, "INSERT INTO vectors(position,space,agent,type,vector) SELECT ?1,id,?3,?4,?5 FROM spaces WHERE name=?2"),
      drop_(db, "DELETE FROM vectors WHERE position=?1"),
      count_(db, "SELECT count(*) FROM vectors WHERE space=?1 AND agent=?2 AND type=?3"),
      of_session_(db, "SELECT v.position,v.vector FROM entries e INDEXED BY entries_by_session CROSS JOIN vectors v ON v.position=e.position "
                      "WHERE e.agent=?1 AND e.session=?2 AND (?3=0 OR e.type=?3) AND v.space=?4"),
      of_set_(db, "SELECT position,vector FROM vectors WHERE space=?1 AND agent=?2 AND type=?3"),
      position_(db, "SELECT position FROM vectors WHERE id=?1") {}

Vectors::Space Vectors::space(const std::string& name) {
  Reading reading(space_, std::string_view(name));
  if (!reading.next()) return {};
  return {reading->integer(0), reading->is_null(1) ? 0 : static_cast<std::size_t>(reading->integer(1)) / sizeof(float)};
}

void Vectors::check(const std::vector<sdk::MemoryEntry>& entries) {
  stores::check_spaces(entries, [this](const std::string& name) { return space(name).dimensions; });
}

void Vectors::put(std::int64_t position, const sdk::MemoryEntry& entry) {
  drop(position);
  if (entry.vector.empty()) return;
  const auto unit = stores::unit(entry.vector);
  add_space_.exec(std::string_view(entry.space));
  put_.exec(position, std::string_view(entry.space), std::string_view(entry.agent_id), static_cast<std::int64_t>(entry.type), Blob{stores::bytes_of(unit)});
}

void Vectors::drop(std::int64_t position) { drop_.exec(position); }

void Vectors::compare(Reading& reading, const std::vector<float>& wanted, stores::Nearest& nearest) {
  while (reading.next()) nearest.offer({static_cast<std::uint64_t>(reading->integer(0)), stores::cosine(wanted, reading->bytes(1))});
}

void Vectors::compare_all(const VectorSet& set, const std::vector<float>& wanted, stores::Nearest& nearest) {
  Reading reading(of_set_, set.space, std::string_view(set.agent), set.type);
  compare(reading, wanted, nearest);
}

std::vector<stores::Neighbour> Vectors::nearest(const sdk::MemoryQuery& query) {
  const auto in = space(query.space);
  if (in.dimensions == 0) return {};
  stores::check_space(query, in.dimensions);
  const auto wanted = stores::unit(query.vector);
  stores::Nearest nearest(query.limit);
  if (!query.session_id.empty()) {
    Reading reading(of_session_, std::string_view(query.agent_id), std::string_view(query.session_id), static_cast<std::int64_t>(query.type), in.id);
    compare(reading, wanted, nearest);
    return nearest.best();
  }
  for (const auto type : kTypes) {
    if (query.type != sdk::MemoryType::any && static_cast<std::int64_t>(query.type) != type) continue;
    const VectorSet set{in.id, query.agent_id, type};
    count_.bind(set.space, std::string_view(set.agent), set.type);
    const auto count = count_.step() ? count_.integer(0) : 0;
    count_.reset();
    const bool large = count > most_compared_ && query.limit < static_cast<std::uint64_t>(count) / 4;
    if (!large || !ask_index(set, count, wanted, query.limit, nearest)) compare_all(set, wanted, nearest);
  }
  return nearest.best();
}

// False: it is not known by the index.
bool Vectors::ask_index(const VectorSet& set, std::int64_t count, const std::vector<float>& wanted, std::uint64_t limit, stores::Nearest& nearest) try {
  auto* const index = index_of(set, count, wanted.size());
  if (!index) return false;
  index->catch_up(db_);
  const auto gone = index->size() - count;
  if (gone > count / 2) {  // too many are looked at in vain: it is built anew
    indexes_.erase(set);
    return false;
  }
  std::vector<stores::Neighbour> found;
  for (const auto& one : index->nearest(wanted, static_cast<std::size_t>(limit + limit / 2) + 32)) {
    Reading reading(position_, one.id);
    if (found.size() < limit && reading.next()) found.push_back({static_cast<std::uint64_t>(reading->integer(0)), one.score});
  }
  if (found.size() < limit) return false;
  for (const auto& one : found) nearest.offer(one);
  return true;
} catch (const DbError&) {
  throw;
} catch (const std::exception& e) {  // of the library's: there is no room for more
  host_.log(sdk::Level::warn, "the index of the vectors of agent \"" + set.agent + "\" is given up: " + e.what());
  indexes_.erase(set);
  return false;
}

// Null: there is none yet, or none can be.
VectorIndex* Vectors::index_of(const VectorSet& set, std::int64_t count, std::size_t dimensions) {
  if (const auto found = indexes_.find(set); found != indexes_.end()) {
    auto& [index, told] = found->second;
    const auto state = index->state();
    if (state == VectorIndex::State::building) return nullptr;
    if (!std::exchange(told, true)) tell(set, *index);
    return state == VectorIndex::State::ready ? index.get() : nullptr;
  }
  std::size_t bytes = VectorIndex::bytes(count, dimensions);
  for (const auto& [other, indexed] : indexes_) bytes += indexed.index->bytes();
  if (bytes <= kMostIndexBytes) indexes_[set].index = std::make_unique<VectorIndex>(file_, set, dimensions, count);
  return nullptr;
}

void Vectors::tell(const VectorSet& set, const VectorIndex& index) const {
  if (index.state() == VectorIndex::State::failed) return host_.log(sdk::Level::warn, "the vectors of agent \"" + set.agent + "\" are compared one by one: their index could not be built: " + index.why());
  host_.log(sdk::Level::info, std::to_string(index.size()) + " vectors of agent \"" + set.agent + "\" are searched through an index of " + std::to_string(index.bytes() >> 20) + " MiB");
}

}  // namespace agentd::sqlite
