// What the server itself knows of vectors: pgvector, the extension `vector`.
#pragma once
#include <agentd/sdk/host.hpp>

#include <string>

#include "connection.hpp"

namespace agentd::postgres {

struct VectorExtension {
  std::string schema;         // where it is, quoted, with a dot behind it; empty: there is none that can be used
  bool has_hnsw = false;      // since 0.5
  bool has_halfvec = false;   // since 0.7
  bool is_there() const { return !schema.empty(); }

  // The type that an index holds vectors of so many dimensions in: as they are, or, where those are too long for a page, each number in
  // half of its bytes. Empty: none does.
  std::string indexed_type(std::size_t dimensions) const;
};

// Makes the extension where the server offers it and the role may, and gives the column of vectors its type, however long that takes. What
// stands in the way is told in the log, and then there is none. Outside of a transaction; throws PgError where the connection is lost.
VectorExtension find_vector_extension(Connection& connection, const std::string& server, const sdk::Host& host);

}  // namespace agentd::postgres
