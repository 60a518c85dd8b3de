#include "vector_extension.hpp"

namespace agentd::postgres {
namespace {

constexpr std::size_t kMostOfVector = 2'000, kMostOfHalfvec = 4'000;  // dimensions that an HNSW index takes

#define HAS_HNSW_OF(operators) \
  "EXISTS(SELECT 1 FROM pg_opclass o JOIN pg_am a ON a.oid=o.opcmethod WHERE o.opcnamespace=e.extnamespace AND a.amname='hnsw' AND o.opcname='" operators "')"
constexpr Statement kFind{"SELECT quote_ident(n.nspname)||'.',e.extversion," HAS_HNSW_OF("vector_cosine_ops") "," HAS_HNSW_OF("halfvec_cosine_ops")
                          " FROM pg_extension e JOIN pg_namespace n ON n.oid=e.extnamespace WHERE e.extname='vector'"};
constexpr Statement kIsOffered{"SELECT 1 FROM pg_available_extensions WHERE name='vector'"};
constexpr Statement kIsArray{"SELECT atttypid='real[]'::regtype FROM pg_attribute WHERE attrelid='memory_vectors'::regclass AND attname='vector'"};

constexpr std::chrono::minutes kPatienceOfRewriting{10};

// One that is not of a loss, whose message is told.
std::string trouble_of(const PgError& error) {
  if (error.lost()) throw error;
  return error.what();
}

// Why not; empty: it is there now.
std::string make(Connection& connection) try {
  connection.run("CREATE EXTENSION IF NOT EXISTS vector SCHEMA public");
  return {};
} catch (const PgError& e) {
  const auto trouble = trouble_of(e);
  return connection.ask(kFind).empty() ? trouble : std::string();  // another host may have come first
}

// Why not; empty: they are of the extension's type.
std::string turn_into_vectors(Connection& connection, const std::string& schema) try {
  connection.run("SELECT '[1]'::" + schema + "vector OPERATOR(" + schema + "<=>) '[1]'::" + schema + "vector");
  if (connection.ask(kIsArray).integer(0, 0) != 0)
    connection.run("SET LOCAL statement_timeout=0; ALTER TABLE memory_vectors ALTER COLUMN vector TYPE " + schema + "vector USING vector::" + schema + "vector", kPatienceOfRewriting);
  return {};
} catch (const PgError& e) {
  return trouble_of(e);
}

}  // namespace

std::string VectorExtension::indexed_type(std::size_t dimensions) const {
  const auto of = "(" + std::to_string(dimensions) + ")";
  if (has_hnsw && dimensions <= kMostOfVector) return "vector" + of;
  if (has_halfvec && dimensions <= kMostOfHalfvec) return "halfvec" + of;
  return {};
}

VectorExtension find_vector_extension(Connection& connection, const std::string& server, const sdk::Host& host) {
  const auto without = [&](sdk::Level level, const std::string& why) {
    host.log(level, "memory in " + server + " compares vectors one by one, without an index: " + why);
    return VectorExtension{};
  };
  if (connection.ask(kFind).empty()) {
    if (connection.ask(kIsOffered).empty()) return without(sdk::Level::info, "the server does not offer the extension \"vector\" (pgvector)");
    if (const auto why = make(connection); !why.empty())
      return without(sdk::Level::warn, "the server offers the extension \"vector\", and CREATE EXTENSION failed: " + why + "; let a role say it that may, and start agentd again");
  }
  const auto found = connection.ask(kFind);
  const VectorExtension extension{found.text(0, 0), found.integer(0, 2) != 0, found.integer(0, 3) != 0};
  if (const auto why = turn_into_vectors(connection, extension.schema); !why.empty()) return without(sdk::Level::warn, "the extension \"vector\" is there and cannot be used: " + why);
  host.log("memory in " + server + " has its vectors compared by the server, with the extension \"vector\" " + found.text(0, 1) +
           (extension.has_hnsw ? "" : ", which has no index for them yet: ALTER EXTENSION vector UPDATE brings one where the server has 0.5 or newer"));
  return extension;
}

}  // namespace agentd::postgres
