#include "vector_index.hpp"

namespace agentd::postgres {
namespace {

// Links of a vector, and how many are looked at while it is put in: measured, see the README.
constexpr const char* kMeasures = " WITH (m=16,ef_construction=100)";
constexpr std::chrono::minutes kPause{10};

// Held by whoever makes one. A server that goes on with it after its client died goes on holding it.
#define LOCK "hashtextextended($1::text||'.vector_indexes',7126)"
constexpr Statement kIsFree{"SELECT pg_try_advisory_xact_lock(" LOCK ")"};
constexpr Statement kLock{"SELECT pg_try_advisory_lock(" LOCK ")"};

bool is_true(const Rowset& rows) { return rows.integer(0, 0) != 0; }

}  // namespace

std::string VectorIndex::condition(const VectorExtension& extension) const {
  return "set_id=" + std::to_string(set) + " AND " + extension.schema + "vector_dims(vector)=" + std::to_string(dimensions);
}

// CONCURRENTLY: entries come in meanwhile. What it leaves behind where it fails is in the way of the next one.
void VectorIndexes::want(Connection& connection, const VectorIndex& index, const VectorExtension& extension, const std::string& agent) try {
  if (connection_ || Clock::now() < next_try_) return;
  const Parameters schema{std::string_view(place_.schema)};
  if (!is_true(connection.ask(kIsFree, schema))) return;
  auto own = std::make_unique<Connection>(place_);
  if (!is_true(own->ask(kLock, schema))) return;
  own->run("SET statement_timeout=0");
  const auto type = extension.indexed_type(index.dimensions);
  if (index.state == VectorIndex::State::unfinished) own->begin("DROP INDEX CONCURRENTLY IF EXISTS " + index.name());
  else own->begin("CREATE INDEX CONCURRENTLY IF NOT EXISTS " + index.name() + " ON memory_vectors USING hnsw ((vector::" + extension.schema + type + ") " + extension.schema +
                  type.substr(0, type.find('(')) + "_cosine_ops)" + kMeasures + " WHERE " + index.condition(extension));
  subject_ = index.state == VectorIndex::State::unfinished ? std::string() : "the vectors of agent \"" + agent + "\"";
  connection_ = std::move(own);
} catch (const PgError& e) {
  if (connection.is_lost()) throw;
  give_up(e);
}

void VectorIndexes::look() try {
  if (!connection_ || !connection_->is_over()) return;
  connection_.reset();
  if (!subject_.empty()) host_.log("memory in " + server_ + ": " + subject_ + " have an index and are searched through it");
} catch (const PgError& e) {
  give_up(e);
}

void VectorIndexes::give_up(const PgError& why) {
  host_.log(sdk::Level::warn, "memory in " + server_ + " could not have an index of vectors made, and compares them: " + why.what() + "; it is tried again in " + std::to_string(kPause.count()) + " minutes");
  next_try_ = Clock::now() + kPause;
  connection_.reset();
}

}  // namespace agentd::postgres
