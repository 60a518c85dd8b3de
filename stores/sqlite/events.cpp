#include "events.hpp"

namespace agentd::sqlite {
namespace {

constexpr const char* kTables = R"(
CREATE TABLE events(id TEXT PRIMARY KEY, type TEXT NOT NULL, agent_id TEXT NOT NULL, run_id TEXT NOT NULL, session_id TEXT NOT NULL,
  timestamp_ms INTEGER NOT NULL, payload TEXT NOT NULL) WITHOUT ROWID;
)";

}  // namespace

Events::Events(const Settings& settings)
try : file_(file_in(settings, "events.db")),
      lock_(file_),
      db_(file_, Db::Mode::write, {kTables}),
      insert_(db_, "INSERT INTO events VALUES(?,?,?,?,?,?,?) ON CONFLICT(id) DO NOTHING"),
      kept_(db_, "SELECT timestamp_ms,run_id FROM events WHERE id=?") {
} catch (const DbError& e) {
  throw sdk::Error(std::string("the event store cannot be opened: ") + e.what());
}

// Every ledger counts its positions from one. What comes again after the end of a process is the same as before; an event of another
// ledger has the same id and is not.
void Events::check_came_before(const sdk::Event& e) {
  Reading kept(kept_, e.id);
  if (kept.next() && kept->integer(0) == e.timestamp_ms && kept->bytes(1) == e.run_id) return;
  throw sdk::Error(file_.string() + " holds events of another ledger; move it away with its -wal and -shm and restart, or name another folder");
}

void Events::append(const sdk::EventBatch& batch) {
  answering([&] {
    Transaction transaction(db_);
    for (const auto& e : batch) {
      insert_.exec(e.id, e.type, e.agent_id, e.run_id, e.session_id, e.timestamp_ms, e.payload);
      if (db_.changes() == 0) check_came_before(e);
    }
    transaction.commit();
    db_.bound_wal();
  });
}

}  // namespace agentd::sqlite
