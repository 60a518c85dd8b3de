#include "memory.hpp"

#include <agentd/sdk/words.hpp>

#include <algorithm>
#include <set>

#include "stores/vectors/cosine.hpp"

namespace agentd::postgres {
namespace {

// words is the text as it is searched: each of its words between two spaces of its own, so that those that follow each other are found as
// they stand, whichever come before. terms are the different ones, each behind its agent: one look into the index finds an agent's entries. What
// people and models wrote is bytea: it may have any byte in it.
constexpr const char* kVersion1 = R"(
CREATE TABLE memories(position bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, agent text COLLATE "C" NOT NULL, id bytea NOT NULL, type bigint NOT NULL,
  session bytea NOT NULL, created bigint NOT NULL, text bytea NOT NULL, json bytea NOT NULL, words text COLLATE "C" NOT NULL, size bigint NOT NULL, terms text[] COLLATE "C" NOT NULL);
CREATE UNIQUE INDEX memories_by_id ON memories(agent,id);
CREATE INDEX memories_by_session ON memories(agent,session,position);
CREATE INDEX memories_by_agent ON memories(agent,position);
CREATE INDEX memories_by_terms ON memories USING gin(terms);
)";
const char* const kSteps[] = {kVersion1, kFirstVectorTables, kVectorSets};
const Migrations kTables{"memory", kSteps};

// Who puts for an agent has it for itself: its positions are in the order of commits.
constexpr Statement kLock{"SELECT pg_advisory_xact_lock(hashtextextended($1::text||'.memories.'||$2::text,7126))"};
#define PUT                                                                                                                                                                                       \
  "WITH kept AS (INSERT INTO memories(agent,id,type,session,created,text,json,words,size,terms) VALUES($1::text,$2::bytea,$3::int8,$4::bytea,$5::int8,$6::bytea,$7::bytea,$8::text,$9::int8,"     \
  "$10::text[]) ON CONFLICT(agent,id) DO UPDATE SET type=excluded.type,session=excluded.session,created=excluded.created,text=excluded.text,json=excluded.json,words=excluded.words,"             \
  "size=excluded.size,terms=excluded.terms RETURNING position) "
constexpr Statement kPut{PUT "DELETE FROM memory_vectors v USING kept k WHERE v.position=k.position"};
constexpr Statement kPutWithVector{PUT "INSERT INTO memory_vectors(position,set_id,vector) SELECT k.position,s.id,$12::real[] FROM kept k, vector_sets s WHERE s.space=$11::bytea AND s.agent=$1 AND s.type=$3 "
                                       "ON CONFLICT(position) DO UPDATE SET set_id=excluded.set_id,vector=excluded.vector"};

#define ENTRY_COLUMNS "e.position,e.id,e.type,e.session,e.created,e.text,e.json"
constexpr Statement kListAgent{"SELECT " ENTRY_COLUMNS " FROM memories e WHERE agent=$1::text AND position<$2::int8 AND ($3::int8=0 OR type=$3) ORDER BY position DESC LIMIT $4::int8"};
constexpr Statement kListSession{"SELECT " ENTRY_COLUMNS " FROM memories e WHERE agent=$1::text AND session=$5::bytea AND position<$2::int8 AND ($3::int8=0 OR type=$3) ORDER BY position DESC LIMIT $4::int8"};

// BM25 with the usual k1 of 1.2 and b of 0.75. How many entries there are and how long they are on the whole is not counted, so that a search
// costs what it finds: a word's weight follows from how many of the entries found have it, of 50 words each. A few are taken for a hundred, so
// that one found alone is not worth nothing.
constexpr Statement kSearch{
    "WITH asked AS (SELECT ordinality AS n, phrase FROM unnest($2::text[]) WITH ORDINALITY a(phrase)), "
    "fit AS (SELECT e.position, e.size, a.n, (length(e.words)-length(replace(e.words,a.phrase,'')))/length(a.phrase) AS times "
    "FROM memories e CROSS JOIN asked a WHERE e.terms && $1::text[] AND ($3::int8=0 OR e.type=$3) AND ($4::bytea='' OR e.session=$4)), "
    "hits AS (SELECT position, size, n, times::float8, count(*) OVER (PARTITION BY n) AS others FROM fit WHERE times>0), "
    "found AS (SELECT greatest(100,count(DISTINCT position))::float8 AS entries FROM hits), "
    "best AS (SELECT position, sum(ln(1+(entries-others+0.5)/(others+0.5))*times*2.2/(times+1.2*(0.25+0.75*size/50))) AS score FROM hits CROSS JOIN found GROUP BY position ORDER BY 2 DESC, 1 DESC LIMIT $5::int8) "
    "SELECT " ENTRY_COLUMNS ",b.score FROM best b JOIN memories e ON e.position=b.position ORDER BY b.score DESC, e.position DESC"};
constexpr Statement kAt{"SELECT " ENTRY_COLUMNS " FROM unnest($1::int8[]) WITH ORDINALITY a(position,n) JOIN memories e ON e.position=a.position ORDER BY a.n"};
constexpr Statement kRemove{"DELETE FROM memories WHERE agent=$1::text AND ($2::bytea='' OR id=$2) AND ($3::int8=0 OR type=$3) AND ($4::bytea='' OR session=$4)"};

constexpr std::size_t kMostOfATerm = 100;  // bytes: an index takes none that is long, and a text may be one word of a mebibyte

std::string spaced(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) ((out += ' ') += word) += ' ';
  return out;
}

// A cut may go through a character: what is left of it is left out.
std::string term(const std::string& agent, std::string word) {
  if (word.size() > kMostOfATerm) {
    word.resize(kMostOfATerm);
    while (!word.empty() && (word.back() & 0xc0) == 0x80) word.pop_back();
    if (!word.empty()) word.pop_back();
  }
  return agent + ' ' + word;
}

Column terms(const std::string& agent, const std::vector<std::string>& words) {
  Column column(Column::Type::text);
  for (const auto& one : std::set<std::string>(words.begin(), words.end())) column.add(term(agent, one));
  return column;
}

std::int64_t type(const sdk::MemoryQuery& query) { return static_cast<std::int64_t>(query.type); }
std::int64_t limit(const sdk::MemoryQuery& query) { return static_cast<std::int64_t>(std::min<std::uint64_t>(query.limit, INT64_MAX)); }
std::int64_t before(const sdk::MemoryQuery& query) { return query.before && query.before <= INT64_MAX ? static_cast<std::int64_t>(query.before) : INT64_MAX; }

std::vector<sdk::MemoryEntry> entries(const Rowset& rows, const std::string& agent) {
  std::vector<sdk::MemoryEntry> found;
  for (int row = 0; row < rows.rows(); ++row) {
    sdk::MemoryEntry e;
    e.agent_id = agent;
    e.position = static_cast<uint64_t>(rows.integer(row, 0));
    e.id = rows.text(row, 1), e.session_id = rows.text(row, 3), e.text = rows.text(row, 5), e.json = rows.text(row, 6);
    e.type = static_cast<sdk::MemoryType>(rows.integer(row, 2));
    e.created_ms = rows.integer(row, 4);
    found.push_back(std::move(e));
  }
  return found;
}

}  // namespace

Memory::Memory(const Settings& settings, const sdk::Host& host)
    : vectors_({settings.url->reveal(), settings.schema}, server_name(settings.url->reveal()), host), client_(settings, host, kTables, [this](Connection& connection) { vectors_.look(connection); }) {}

void Memory::put(const std::vector<sdk::MemoryEntry>& all) {
  if (all.empty()) return;
  std::set<std::string> agents;
  for (const auto& e : all) agents.insert(e.agent_id);
  client_.with([&](Connection& connection) {
    Transaction transaction(connection);
    for (const auto& agent : agents) connection.send(kLock, Parameters(std::string_view(client_.schema()), std::string_view(agent)));  // in one order, so that none wait for each other
    vectors_.prepare(connection, all);
    for (const auto& e : all) {
      const auto words = sdk::words_of(e.text);
      Parameters parameters(std::string_view(e.agent_id), std::string_view(e.id), static_cast<std::int64_t>(e.type), std::string_view(e.session_id), e.created_ms, std::string_view(e.text),
                                       std::string_view(e.json), std::string_view(spaced(words)), static_cast<std::int64_t>(words.size()), terms(e.agent_id, words));
      if (!e.vector.empty()) parameters.add(std::string_view(e.space)), parameters.add(std::string_view(binary_of(stores::unit(e.vector))));
      connection.send(e.vector.empty() ? kPut : kPutWithVector, parameters);
    }
    transaction.send_commit();
    connection.sync();
  });
}

std::vector<sdk::MemoryEntry> Memory::list(const sdk::MemoryQuery& query) {
  return client_.with([&](Connection& connection) {
    Parameters parameters(std::string_view(query.agent_id), before(query), type(query), limit(query));
    if (!query.session_id.empty()) parameters.add(std::string_view(query.session_id));
    return entries(connection.ask(query.session_id.empty() ? kListAgent : kListSession, parameters), query.agent_id);
  });
}

std::vector<sdk::MemoryEntry> Memory::nearest(const sdk::MemoryQuery& query) {
  return client_.with([&](Connection& connection) {
    std::vector<sdk::MemoryEntry> found;
    {
      Transaction transaction(connection, Transaction::Kind::snapshot);
      const auto neighbours = vectors_.nearest(connection, query);
      Column positions(Column::Type::int8);
      for (const auto& one : neighbours) positions.add(static_cast<std::int64_t>(one.position));
      found = entries(connection.ask(kAt, Parameters(positions)), query.agent_id);
      transaction.send_commit();
      connection.sync();
      for (std::size_t i = 0; i < found.size(); ++i) found[i].score = neighbours[i].score;
    }
    vectors_.make_what_was_missed(connection);
    return found;
  });
}

std::vector<sdk::MemoryEntry> Memory::search(const sdk::MemoryQuery& query) {
  if (!query.vector.empty()) return nearest(query);
  Column any(Column::Type::text), phrases(Column::Type::text);
  for (const auto& phrase : sdk::phrases_of(query.text)) {
    any.add(term(query.agent_id, phrase.front()));
    phrases.add(spaced(phrase));
  }
  if (any.count() == 0) return {};
  return client_.with([&](Connection& connection) {
    const auto rows = connection.ask(kSearch, Parameters(any, phrases, type(query), std::string_view(query.session_id), limit(query)));
    auto found = entries(rows, query.agent_id);
    for (std::size_t i = 0; i < found.size(); ++i) found[i].score = rows.real(static_cast<int>(i), 7);
    return found;
  });
}

uint64_t Memory::remove(const sdk::MemoryQuery& query) {
  return client_.with(
      [&](Connection& connection) {
        return static_cast<uint64_t>(connection.ask(kRemove, Parameters(std::string_view(query.agent_id), std::string_view(query.id), type(query), std::string_view(query.session_id))).changed());
      },
      Again::no);
}

}  // namespace agentd::postgres
