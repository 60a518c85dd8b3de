// Memory in a database that knows of vectors.
#pragma once
#include "tests/conformance/ground.hpp"
#include "tests/support/servers/vector_servers.hpp"

namespace agentd::conformance {

// A schema of its own on a PostgreSQL with the extension pgvector that all of a process share.
class PgvectorGround final : public Ground {
 public:
  std::string settings(int port) const override { return settings(port, "postgres", "postgres"); }
  std::string settings(int port, const std::string& role, const std::string& database) const {
    return R"({"timeout":"8s","schema":")" + schema_ + R"(","url":"postgres://)" + role + ":correct%20horse%20battery@127.0.0.1:" + std::to_string(port) + "/" + database + R"(?sslmode=disable"})";
  }
  std::string place() const override { return shared().address(); }
  support::PostgresServer* server() override { return &shared(); }
  std::uint64_t cuts() const override { return 20; }
  std::vector<std::string> ask(const std::string& sql) const { return shared().column("SET search_path=" + schema_ + ",public;" + sql); }

 private:
  static support::PostgresServer& shared() {
    static support::PostgresServer server({}, support::programs_with_pgvector());
    return server;
  }
  static inline int grounds_ = 0;
  int port() const override { return shared().port(); }
  const std::string schema_ = "ground" + std::to_string(++grounds_);
};

// Collections of its own on a server that all of a process share. QDRANT_URL names another one, which keeps what the tests leave.
class QdrantGround final : public Ground {
 public:
  static constexpr const char* kPassword = "correct horse battery";
  std::string settings(int port) const override {
    const auto where = outer() ? R"("url":")" + std::string(outer()) + "\"" : R"("host":"127.0.0.1","api_key":")" + std::string(kPassword) + R"(","port":)" + std::to_string(port);
    return R"({"timeout":"8s","collection":")" + collection_ + "\"," + where + "}";
  }
  std::string place() const override { return outer() ? outer() : shared().address(); }
  support::Server* server() override { return outer() ? nullptr : &shared(); }
  std::uint64_t cuts() const override { return 30; }

 private:
  static const char* outer() { return ::getenv("QDRANT_URL"); }
  static support::VectorServer& shared() {
    static support::VectorServer server("qdrant", kPassword);
    return server;
  }
  int port() const override { return outer() ? 0 : shared().port(); }
  const std::string collection_ = support::collection_of_its_own();
};

class ChromaGround final : public Ground {
 public:
  std::string settings(int port) const override { return R"({"timeout":"8s","host":"127.0.0.1","collection":")" + collection_ + R"(","port":)" + std::to_string(port) + "}"; }
  std::string place() const override { return shared().address(); }
  support::Server* server() override { return &shared(); }
  std::uint64_t cuts() const override { return 30; }

 private:
  static support::VectorServer& shared() {
    static support::VectorServer server("chroma");
    return server;
  }
  int port() const override { return shared().port(); }
  const std::string collection_ = support::collection_of_its_own();
};

}  // namespace agentd::conformance
