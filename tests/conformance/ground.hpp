// Where a kind of store keeps its data in a test. A kind on a server brings the server up.
#pragma once
#include <memory>
#include <string>

#include "tests/conformance/plugin_world.hpp"
#include "tests/support/hook_receiver.hpp"
#include "tests/support/servers/postgres_server.hpp"
#include "tests/support/servers/redis_server.hpp"

namespace agentd::conformance {

class Ground {
 public:
  virtual ~Ground() = default;
  std::string settings() const { return settings(port()); }
  virtual std::string settings(int port) const = 0;  // port: of a way to the server
  virtual std::string place() const = 0;             // how messages name it
  virtual support::Server* server() { return nullptr; }
  virtual std::uint64_t cuts() const { return UINT64_MAX; }  // how many places where a connection is cut take no unreasonable time

 private:
  virtual int port() const { return 0; }
};

class NoGround final : public Ground {
 public:
  std::string settings(int) const override { return "{}"; }
  std::string place() const override { return ""; }
};

class FolderGround : public Ground {
 public:
  std::string settings(int) const override { return R"({"path":")" + path().string() + "\"}"; }
  std::string place() const override { return path().string(); }
  const std::filesystem::path& path() const { return folder_.path(); }

 private:
  Folder folder_;
};

class RedisGround final : public Ground {
 public:
  static constexpr const char* kPassword = "correct horse battery";
  std::string settings(int port) const override {
    return R"({"host":"127.0.0.1","timeout":"4s","stream":"events","password":")" + std::string(kPassword) + R"(","port":)" + std::to_string(port) + "}";
  }
  std::string place() const override { return server_.address(); }
  support::RedisServer* server() override { return &server_; }

 private:
  int port() const override { return server_.port(); }
  support::RedisServer server_{support::RedisServer::durable(), kPassword};
};

// A schema of its own on a server that all of a process share: to make one takes seconds.
class PostgresGround final : public Ground {
 public:
  std::string settings(int port) const override {
    return R"({"timeout":"8s","schema":")" + schema_ + R"(","url":"postgres://postgres:correct%20horse%20battery@127.0.0.1:)" + std::to_string(port) + R"(/postgres?sslmode=disable"})";
  }
  std::string place() const override { return shared().address(); }
  support::PostgresServer* server() override { return &shared(); }
  std::uint64_t cuts() const override { return 60; }
  const std::string& schema() const { return schema_; }

 private:
  static support::PostgresServer& shared() {
    static support::PostgresServer server{std::vector<std::string>{}};
    return server;
  }
  static inline int grounds_ = 0;
  int port() const override { return shared().port(); }
  const std::string schema_ = "ground" + std::to_string(++grounds_);
};

class WebhookGround final : public Ground {
 public:
  std::string settings(int) const override { return R"({"url":")" + receiver_.url() + "\"}"; }
  std::string place() const override { return receiver_.origin(); }
  support::HookReceiver& receiver() { return receiver_; }

 private:
  support::HookReceiver receiver_;
};

class OtlpGround final : public Ground {
 public:
  std::string settings(int) const override { return R"({"endpoint":")" + receiver_.origin() + "\"}"; }
  std::string place() const override { return receiver_.origin(); }

 private:
  support::HookReceiver receiver_;
};

template <class G>
std::unique_ptr<Ground> make_ground() {
  return std::make_unique<G>();
}

}  // namespace agentd::conformance
