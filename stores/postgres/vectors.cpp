#include "vectors.hpp"

#include <algorithm>
#include <bit>
#include <set>
#include <tuple>

#include "stores/vectors/spaces.hpp"

namespace agentd::postgres {

const char* const kFirstVectorTables = R"(
CREATE TABLE memory_vectors(position bigint PRIMARY KEY REFERENCES memories(position) ON DELETE CASCADE, space bytea NOT NULL, vector real[] NOT NULL);
CREATE INDEX memory_vectors_by_space ON memory_vectors(space);
)";
// A set has a number, so that an index may be of it alone. The column `vector` is of a type that every server has until an extension's own is
// made from it: what is written to it and read from it as real[] is the same before and after.
const char* const kVectorSets = R"(
CREATE TABLE vector_sets(id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY, space bytea NOT NULL, agent text COLLATE "C" NOT NULL, type bigint NOT NULL, UNIQUE(space,agent,type));
INSERT INTO vector_sets(space,agent,type) SELECT DISTINCT v.space,e.agent,e.type FROM memory_vectors v JOIN memories e ON e.position=v.position;
ALTER TABLE memory_vectors ADD COLUMN set_id integer;
UPDATE memory_vectors v SET set_id=s.id FROM memories e, vector_sets s WHERE e.position=v.position AND s.space=v.space AND s.agent=e.agent AND s.type=e.type;
ALTER TABLE memory_vectors ALTER COLUMN set_id SET NOT NULL;
ALTER TABLE memory_vectors DROP COLUMN space;
CREATE INDEX memory_vectors_by_set ON memory_vectors(set_id,position);
)";

namespace {

// Who puts vectors of a space has it for itself: they have one number of dimensions, whoever comes first.
constexpr Statement kLockSpace{"SELECT pg_advisory_xact_lock(hashtextextended($1::text||'.spaces.'||encode($2::bytea,'hex'),7126))"};
constexpr Statement kDimensions{"SELECT array_length(v.vector::real[],1)::int8 FROM vector_sets s JOIN memory_vectors v ON v.set_id=s.id WHERE s.space=$1::bytea LIMIT 1"};
constexpr Statement kAddSet{"INSERT INTO vector_sets(space,agent,type) SELECT $1::bytea,$2::text,$3::int8 WHERE NOT EXISTS(SELECT 1 FROM vector_sets WHERE space=$1 AND agent=$2 AND type=$3)"};
constexpr Statement kSets{"SELECT s.id::int8,(SELECT i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid=i.indexrelid WHERE i.indrelid='memory_vectors'::regclass "
                          "AND c.relname='memory_vectors_'||s.id||'_'||$4::int8) FROM vector_sets s WHERE s.space=$1::bytea AND s.agent=$2::text AND ($3::int8=0 OR s.type=$3)"};
// For what an index answers: the server would rather sort where it thinks that there is little.
constexpr Statement kThroughIndexes{"SELECT set_config('hnsw.ef_search',$1::text,true),set_config('enable_sort','off',true)"};

// Those of a set, in an agent's session where there is one.
constexpr const char* kOfSet = " FROM memory_vectors v WHERE v.set_id=$1::int8";
constexpr const char* kOfSession = " FROM memories e JOIN memory_vectors v ON v.position=e.position WHERE v.set_id=$1::int8 AND e.agent=$4::text AND e.session=$5::bytea";

constexpr std::int64_t kNumbersAtOnce = 1'000'000;  // of vectors that are fetched to be compared: some 8 MB
constexpr std::uint64_t kLeastLookedAt = 200, kMostLookedAt = 1'000;  // by an index: hnsw.ef_search

constexpr std::int32_t kFloat4 = 700, kSizeOfFloat4 = 4;

// Behind one dimension, no nulls, the number of the type, how many there are and where they begin: each behind its size.
void read_numbers(std::string_view binary, std::vector<float>& into) {
  constexpr std::size_t kHead = 20, kElement = 8;
  into.clear();
  for (std::size_t at = kHead; at + kElement <= binary.size(); at += kElement) {
    std::uint32_t bits = 0;
    for (std::size_t i = 4; i < kElement; ++i) bits = bits << 8 | static_cast<unsigned char>(binary[at + i]);
    into.push_back(std::bit_cast<float>(bits));
  }
}

std::size_t dimensions_of(Connection& connection, const std::string& space) {
  const auto rows = connection.ask(kDimensions, Parameters(std::string_view(space)));
  return rows.empty() ? 0 : static_cast<std::size_t>(rows.integer(0, 0));
}

Parameters parameters_of(const VectorIndex& set, const sdk::MemoryQuery& query, const auto& second, std::int64_t third) {
  Parameters parameters(set.set, second, third);
  if (!query.session_id.empty()) parameters.add(std::string_view(query.agent_id)), parameters.add(std::string_view(query.session_id));
  return parameters;
}

const char* source(const sdk::MemoryQuery& query) { return query.session_id.empty() ? kOfSet : kOfSession; }

// How many an index is asked for: more than are wanted, since it holds some of them less exactly than the table has them.
std::uint64_t asked_for(std::uint64_t limit) { return limit + limit / 2 + 32; }

std::int64_t bounded(std::uint64_t limit) { return static_cast<std::int64_t>(std::min<std::uint64_t>(limit, INT64_MAX)); }

void offer(const Rowset& rows, stores::Nearest& nearest) {
  for (int row = 0; row < rows.rows(); ++row) nearest.offer({static_cast<std::uint64_t>(rows.integer(row, 0)), std::clamp(rows.real(row, 1), -1.0, 1.0)});
}

}  // namespace

std::string binary_of(const std::vector<float>& vector) {
  std::string binary;
  for (const std::int32_t head : {1, 0, kFloat4, static_cast<std::int32_t>(vector.size()), 1}) append_int32(binary, head);
  for (const float number : vector) {
    append_int32(binary, kSizeOfFloat4);
    append_int32(binary, std::bit_cast<std::int32_t>(number));
  }
  return binary;
}

void Vectors::prepare(Connection& connection, const std::vector<sdk::MemoryEntry>& entries) {
  std::set<std::string> spaces;
  std::set<std::tuple<std::string, std::string, std::int64_t>> sets;
  for (const auto& e : entries) {
    if (e.vector.empty()) continue;
    spaces.insert(e.space);
    sets.emplace(e.space, e.agent_id, static_cast<std::int64_t>(e.type));
  }
  for (const auto& space : spaces) connection.send(kLockSpace, Parameters(std::string_view(schema_), std::string_view(space)));
  stores::check_spaces(entries, [&](const std::string& space) { return dimensions_of(connection, space); });
  for (const auto& [space, agent, type] : sets) connection.send(kAddSet, Parameters(std::string_view(space), std::string_view(agent), type));
}

std::vector<stores::Neighbour> Vectors::nearest(Connection& connection, const sdk::MemoryQuery& query) {
  missed_.clear();
  const auto dimensions = dimensions_of(connection, query.space);
  stores::check_space(query, dimensions);
  stores::Nearest nearest(query.limit);
  if (dimensions == 0) return nearest.best();
  const auto wanted = stores::unit(query.vector);
  const auto type = query.session_id.empty() && query.limit <= kMostFromIndex ? extension_.indexed_type(dimensions) : std::string();
  if (!type.empty()) connection.send(kThroughIndexes, Parameters(std::string_view(std::to_string(std::clamp(2 * asked_for(query.limit), kLeastLookedAt, kMostLookedAt)))));
  const auto sets = connection.ask(kSets, Parameters(std::string_view(query.space), std::string_view(query.agent_id), static_cast<std::int64_t>(query.type), static_cast<std::int64_t>(dimensions)));
  for (int row = 0; row < sets.rows(); ++row) {
    VectorIndex set{sets.integer(row, 0), dimensions};
    if (!sets.is_null(row, 1)) set.state = sets.integer(row, 1) != 0 ? VectorIndex::State::ready : VectorIndex::State::unfinished;
    const bool is_ready = set.state == VectorIndex::State::ready;
    if (!type.empty() && is_ready && ask_index(connection, set, type, query.limit, wanted, nearest)) continue;
    if (!extension_.is_there()) compare(connection, set, query, wanted, nearest);
    else if (have_compared(connection, set, query, wanted, nearest) > kMostCompared && !type.empty() && !is_ready) missed_.push_back({set, query.agent_id});
  }
  return nearest.best();
}

// All that fit are fetched, some at a time: SQL would take them apart number by number.
void Vectors::compare(Connection& connection, const VectorIndex& set, const sdk::MemoryQuery& query, const std::vector<float>& wanted, stores::Nearest& nearest) {
  const auto sql = std::string("SELECT v.position,v.vector::real[]") + source(query) + " AND v.position>$2::int8 ORDER BY v.position LIMIT $3::int8";
  const auto at_once = std::max<std::int64_t>(1, kNumbersAtOnce / static_cast<std::int64_t>(wanted.size()));
  std::vector<float> other;
  std::int64_t last = 0;
  for (bool is_more = true; is_more;) {
    const auto rows = connection.ask_once(sql, parameters_of(set, query, last, at_once));
    for (int row = 0; row < rows.rows(); ++row) {
      last = rows.integer(row, 0);
      read_numbers(rows.bytes(row, 1), other);
      nearest.offer({static_cast<std::uint64_t>(last), stores::cosine(wanted, other)});
    }
    is_more = rows.rows() == at_once;
  }
}

// By the server; how many there were.
std::int64_t Vectors::have_compared(Connection& connection, const VectorIndex& set, const sdk::MemoryQuery& query, const std::vector<float>& wanted, stores::Nearest& nearest) {
  const auto& in = extension_.schema;
  // What is wanted is made a vector once, by the inner SELECT; OFFSET keeps the vectors themselves out of what is counted.
  const auto sql = "SELECT position,score,count(*) OVER () FROM (SELECT v.position,1-(v.vector OPERATOR(" + in + "<=>) (SELECT $2::real[]::" + in + "vector)) AS score" + source(query) +
                   " OFFSET 0) fit ORDER BY score DESC,position DESC LIMIT $3::int8";
  const auto rows = connection.ask_once(sql, parameters_of(set, query, std::string_view(binary_of(wanted)), bounded(query.limit)));
  offer(rows, nearest);
  return rows.empty() ? 0 : rows.integer(0, 2);
}

// False: it has fewer than are wanted, maybe for those in it that are gone from the table.
bool Vectors::ask_index(Connection& connection, const VectorIndex& index, const std::string& type, std::uint64_t limit, const std::vector<float>& wanted, stores::Nearest& nearest) {
  const auto& in = extension_.schema;
  const auto distance = [&](const std::string& as) { return "vector::" + in + as + " OPERATOR(" + in + "<=>) $1::real[]::" + in + as; };
  const auto sql = "SELECT position,1-(" + distance("vector") + ") FROM (SELECT position,vector FROM memory_vectors WHERE " + index.condition(extension_) + " ORDER BY " + distance(type) +
                   " LIMIT $2::int8) near ORDER BY 2 DESC,1 DESC LIMIT $3::int8";
  const auto rows = connection.ask_once(sql, Parameters(std::string_view(binary_of(wanted)), bounded(asked_for(limit)), bounded(limit)));
  if (static_cast<std::uint64_t>(rows.rows()) < limit) return false;
  offer(rows, nearest);
  return true;
}

void Vectors::make_what_was_missed(Connection& connection) {
  indexes_.look();
  if (!missed_.empty()) indexes_.want(connection, missed_.front().index, extension_, missed_.front().agent);
  missed_.clear();
}

}  // namespace agentd::postgres
