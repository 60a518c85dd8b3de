#include "events.hpp"

namespace agentd::sqlite {
namespace {

// Ids sort in commit order, so the primary key is also the order.
constexpr const char* kTables = R"(
CREATE TABLE events(id TEXT PRIMARY KEY, type TEXT NOT NULL, agent_id TEXT NOT NULL, run_id TEXT NOT NULL, session_id TEXT NOT NULL,
  timestamp_ms INTEGER NOT NULL, payload TEXT NOT NULL) WITHOUT ROWID;
)";

}  // namespace

Events::Events(const Settings& settings)
try : db_(file_in(settings, "events.db"), Db::Mode::write, kTables),
      insert_(db_, "INSERT INTO events VALUES(?,?,?,?,?,?,?) ON CONFLICT(id) DO NOTHING") {
} catch (const DbError& e) {
  throw sdk::Error(std::string("the event store cannot be opened: ") + e.what());
}

void Events::append(const sdk::EventBatch& batch) {
  answering([&] {
    Transaction transaction(db_);
    for (const auto& e : batch) insert_.exec(e.id, e.type, e.agent_id, e.run_id, e.session_id, e.timestamp_ms, e.payload);
    transaction.commit();
    db_.bound_wal();
  });
}

}  // namespace agentd::sqlite
