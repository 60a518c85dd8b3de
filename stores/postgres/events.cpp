#include "events.hpp"

namespace agentd::postgres {
namespace {

constexpr const char* kVersion1 = R"(
CREATE TABLE events(id text COLLATE "C" PRIMARY KEY, type text NOT NULL, agent_id text NOT NULL, run_id text NOT NULL, session_id bytea NOT NULL, at timestamptz NOT NULL, payload bytea NOT NULL);
)";
constexpr const char* kSteps[] = {kVersion1};
const Migrations kTables{"events", kSteps};

#define NEW_EVENTS "unnest($1::text[],$2::text[],$3::text[],$4::text[],$5::bytea[],$6::int8[],$7::bytea[]) n(id,type,agent_id,run_id,session_id,ms,payload)"
#define INSTANT "timestamptz 'epoch'+n.ms*interval '1 millisecond'"
constexpr Statement kInsert{"INSERT INTO events SELECT n.id,n.type,n.agent_id,n.run_id,n.session_id," INSTANT ",n.payload FROM " NEW_EVENTS " ON CONFLICT(id) DO NOTHING"};
constexpr Statement kOthers{"SELECT 1 FROM " NEW_EVENTS " JOIN events e ON e.id=n.id WHERE e.at<>" INSTANT " OR e.run_id<>n.run_id LIMIT 1"};

}  // namespace

Events::Events(const Settings& settings, const sdk::Host& host) : client_(settings, host, kTables) {}

// Every ledger counts its positions from one. What comes again is the same as before; an event of another ledger has the same id and is not.
void Events::append(const sdk::EventBatch& batch) {
  using Type = Column::Type;
  Column ids(Type::text), types(Type::text), agents(Type::text), runs(Type::text), sessions(Type::bytea), instants(Type::int8), payloads(Type::bytea);
  for (const auto& e : batch) {
    ids.add(e.id), types.add(e.type), agents.add(e.agent_id), runs.add(e.run_id), sessions.add(e.session_id), instants.add(e.timestamp_ms);
    payloads.add(e.payload.empty() ? std::string_view("{}") : e.payload);
  }
  const Parameters parameters(ids, types, agents, runs, sessions, instants, payloads);
  client_.with([&](Connection& connection) {
    Transaction transaction(connection);
    const auto inserted = connection.ask(kInsert, parameters);
    if (inserted.changed() < static_cast<std::int64_t>(batch.size()) && !connection.ask(kOthers, parameters).empty())
      throw sdk::Error(client_.name() + ": the table events of the schema \"" + client_.schema() + "\" holds events of another ledger; move it away (ALTER TABLE) or name another schema");
    transaction.send_commit();
    connection.sync();
  });
}

}  // namespace agentd::postgres
