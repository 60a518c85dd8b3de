// What the Redis stores promise beyond what every store does: how they come to their server, and what others see there.
#include <gtest/gtest.h>

#include <boost/process/system.hpp>

#include "core/base/ids.hpp"
#include "core/plugin/ports.hpp"
#include "host/conformance/events.hpp"
#include "tests/conformance/ground.hpp"

namespace agentd::conformance {
namespace {

using namespace port;
using support::RedisServer;

class OpenRedis {
 public:
  explicit OpenRedis(const std::string& settings) {
    auto& library = library_of(AGENTD_REDIS_PLUGIN);
    auto memory = run(plugin::open_memory(plugins_.instances(), {&library, library.component(plugin::Kind::memory, "redis")}, "memory", settings));
    if (memory) memory_ = std::move(*memory);
    else error_ = memory.error().message;
    auto events = run(plugin::open_events(plugins_.instances(), {&library, library.component(plugin::Kind::events, "redis")}, "events", settings));
    if (events) events_ = std::move(*events);
  }
  explicit operator bool() const { return memory_ && events_; }
  const std::string& error() const { return error_; }  // why it was not opened
  std::string log() const { return plugins_.log(); }

  Result<void> put(const std::string& id, const std::string& text, const std::string& agent = "a") {
    MemoryEntry e;
    e.agent_id = agent, e.session_id = "s", e.id = id, e.text = text, e.json = "{}";
    std::vector<MemoryEntry> entries = {std::move(e)};
    return run(memory_->put(std::move(entries), std::chrono::seconds(30)));
  }
  Result<std::vector<MemoryEntry>> list(const std::string& agent = "a") {
    MemoryQuery q;
    q.agent_id = agent;
    return run(memory_->list(std::move(q)));
  }
  Result<std::uint64_t> remove_all(const std::string& agent = "a") {
    MemoryQuery q;
    q.agent_id = agent;
    return run(memory_->remove(std::move(q)));
  }
  Result<void> append(std::vector<Event> events) { return run(events_->append(std::move(events))); }

 private:
  template <class T>
  T run(Async<T> story) {
    return plugins_.world().run(std::move(story));
  }
  PluginWorld plugins_;
  std::unique_ptr<MemoryStore> memory_;
  std::unique_ptr<EventStore> events_;
  std::string error_;
};

std::string at(const support::Server& server, const std::string& more = {}) {
  return R"({"host":"127.0.0.1","timeout":"10s","port":)" + std::to_string(server.port()) + (more.empty() ? "" : "," + more) + "}";
}
std::string text_of(const Result<void>& result) { return result ? "done" : result.error().message; }
bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }
#define EXPECT_HAS(text, part) EXPECT_TRUE(has(text, part)) << text

// ---- who may come in

TEST(Redis, AsksForThePasswordThatIsMissing) {
  RedisServer server(RedisServer::durable(), "secret words");
  const OpenRedis redis(at(server));
  ASSERT_FALSE(redis);
  EXPECT_HAS(redis.error(), "redis at " + server.address() + ": it asks for a password; set password = \"env:NAME\"");
}

TEST(Redis, RepeatsNoPassword) {
  RedisServer server(RedisServer::durable(), "secret words");
  for (const auto* more : {R"("password":"wrong words")", R"("username":"nobody","password":"wrong words")"}) {
    const OpenRedis redis(at(server, more));
    ASSERT_FALSE(redis);
    EXPECT_HAS(redis.error(), "WRONGPASS");
    EXPECT_FALSE(has(redis.error() + redis.log(), "wrong words")) << redis.error() << redis.log();
  }
  auto options = RedisServer::durable();
  options.insert(options.end(), {"--rename-command", "AUTH", ""});
  RedisServer strange(options);  // it repeats the arguments of a command that it does not know
  const OpenRedis redis(at(strange, R"("password":"wrong words")"));
  ASSERT_FALSE(redis);
  EXPECT_HAS(redis.error(), "unknown command 'AUTH'");
  EXPECT_FALSE(has(redis.error(), "wrong words")) << redis.error();
}

TEST(Redis, RepeatsNothingThatItWasToKeep) {
  auto options = RedisServer::durable();
  options.insert(options.end(), {"--rename-command", "EVALSHA", ""});
  RedisServer server(options);
  OpenRedis redis(at(server));
  const auto refused = text_of(redis.put("private id", "private text"));
  EXPECT_HAS(refused, "it answered \"ERR unknown command 'EVALSHA'\"");
  EXPECT_FALSE(has(refused, "agentd:memory")) << refused;
}

TEST(Redis, ComesAsAUserWithRightsToItsKeysAlone) {
  RedisServer server;
  server.ask({"ACL", "SETUSER", "agents", "on", ">pass word", "~agentd:*", "~background_agent_events", "+@all", "-@dangerous"});
  OpenRedis redis(R"({"timeout":"10s","url":"redis://agents:pass%20word@127.0.0.1:)" + std::to_string(server.port()) + "/0\"}");
  ASSERT_TRUE(redis) << redis.error();
  EXPECT_TRUE(redis.put("1", "apples"));
  EXPECT_TRUE(redis.append({event(1)}));
  EXPECT_HAS(redis.log(), "does not answer CONFIG GET, so it cannot be known whether it keeps anything on a disk");
  OpenRedis elsewhere(at(server, R"("username":"agents","password":"pass word","stream":"private")"));
  EXPECT_HAS(text_of(elsewhere.append({event(1)})), "NOPERM");
}

TEST(Redis, KeepsToItsDatabaseAndPrefix) {
  RedisServer server;
  OpenRedis redis(at(server, R"("db":3,"prefix":"team:")"));
  ASSERT_TRUE(redis) << redis.error();
  ASSERT_TRUE(redis.put("1", "apples"));
  EXPECT_EQ(server.ask({"DBSIZE"})->integer, 0);
  OpenRedis other(at(server, R"("db":3,"prefix":"other:")"));
  EXPECT_TRUE(other.list()->empty());
  OpenRedis same(at(server, R"("db":3,"prefix":"team:")"));
  EXPECT_EQ(same.list()->size(), 1u);
  const OpenRedis none(at(server, R"("db":99)"));
  ASSERT_FALSE(none);
  EXPECT_HAS(none.error(), "DB index is out of range");
}

TEST(Redis, RefusesSettingsThatMakeNoSense) {
  const std::pair<const char*, const char*> wrong[] = {
      {R"({"url":"http://h"})", "url: must be redis://"},
      {R"({"url":"redis://"})", "url: must be redis://"},
      {R"({"url":"redis://h:0"})", "url: must be redis://"},
      {R"({"url":"redis://h:6379/x"})", "url: must be redis://"},
      {R"({"url":"redis://u:%zz@h"})", "url: must be redis://"},
      {R"({"url":"redis://h","port":1})", "give one or the others"},
      {R"({"port":0})", "port: 1 to 65535"},
      {R"({"db":-1})", "db: a database's number"},
      {R"({"username":"u"})", "username: needs a password"},
      {R"({"stream":""})", "stream: is empty"},
      {R"({"max_events":0})", "max_events: at least 1"},
      {R"({"timeout":"0s"})", "timeout: \"100ms\" to \"60s\""},
      {R"({"ca_file":"/x"})", "are for TLS"},
      {R"({"tls":true,"ca_file":"/nowhere"})", "ca_file: /nowhere: "},
      {R"({"tls":true,"cert_file":"/x"})", "one needs the other"},
  };
  for (const auto& [settings, what] : wrong) {
    const OpenRedis redis(settings);
    EXPECT_FALSE(redis) << settings;
    EXPECT_HAS(redis.error(), what);
  }
}

// ---- TLS

class Certificates {
 public:
  Certificates() {
    make({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=test", "-addext",
          "subjectAltName=IP:127.0.0.1", "-keyout", key(), "-out", certificate()});
  }
  std::string certificate() const { return (folder_.path() / "c.pem").string(); }
  std::string key() const { return (folder_.path() / "k.pem").string(); }

 private:
  static void make(const std::vector<std::string>& arguments) {
    EXPECT_EQ(boost::process::system("/usr/bin/openssl", boost::process::args(arguments), boost::process::std_err > boost::process::null), 0);
  }
  Folder folder_;
};

class RedisTls : public testing::Test {
 protected:
  RedisServer::Options options(const char* clients) const {
    return {"--port", "0", "--tls-port", std::to_string(port_), "--tls-cert-file", certificates_.certificate(), "--tls-key-file", certificates_.key(),
            "--tls-ca-cert-file", certificates_.certificate(), "--tls-auth-clients", clients, "--appendonly", "yes", "--save", ""};
  }
  std::string url(const std::string& host, const std::string& more) const {
    return R"({"timeout":"2s","url":"rediss://)" + host + ":" + std::to_string(port_) + "\"" + more + "}";
  }
  std::string with_ca() const { return R"(,"ca_file":")" + certificates_.certificate() + "\""; }
  Certificates certificates_;
  const int port_ = support::free_port();
};

// The server listens on the port of its options, not on one that it chose itself.
class TlsServer final : public support::Server {
 public:
  TlsServer(RedisServer::Options options, int port) : options_(std::move(options)), port_(port) { start(); }
  void start() override {
    auto all = options_;
    all.insert(all.end(), {"--bind", "127.0.0.1", "--dir", folder().string()});
    run("/usr/bin/redis-server", all, [this] {
      boost::asio::io_context io;
      boost::asio::ip::tcp::socket socket(io);
      boost::system::error_code error;
      socket.connect({boost::asio::ip::make_address("127.0.0.1"), static_cast<unsigned short>(port_)}, error);
      return !error;
    });
  }

 private:
  const RedisServer::Options options_;
  const int port_;
};

TEST_F(RedisTls, KeepsWhatItIsGiven) {
  TlsServer server(options("no"), port_);
  OpenRedis redis(url("127.0.0.1", with_ca()));
  ASSERT_TRUE(redis) << redis.error() << redis.log();
  const std::string large(1 << 20, 'x');
  ASSERT_TRUE(redis.put("1", large));
  EXPECT_EQ(redis.list()->at(0).text, large);
  server.kill();
  server.start();
  const auto again = redis.list();
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->size(), 1u);
}

TEST_F(RedisTls, TrustsNobodyWhoIsNotVouchedFor) {
  TlsServer server(options("no"), port_);
  const OpenRedis redis(url("127.0.0.1", ""));
  ASSERT_FALSE(redis);
  EXPECT_HAS(redis.error(), "TLS: the server's certificate: self-signed certificate");
  const OpenRedis other(url("localhost", with_ca()));
  ASSERT_FALSE(other);
  EXPECT_HAS(other.error(), "TLS: the server's certificate: hostname mismatch");
}

TEST_F(RedisTls, ShowsACertificateOfItsOwn) {
  TlsServer server(options("yes"), port_);
  const auto own = R"(,"cert_file":")" + certificates_.certificate() + R"(","key_file":")" + certificates_.key() + "\"";
  OpenRedis redis(url("127.0.0.1", with_ca() + own));
  ASSERT_TRUE(redis) << redis.error() << redis.log();
  EXPECT_TRUE(redis.put("1", "apples"));
}

TEST_F(RedisTls, SaysThatAServerSpeaksNoTls) {
  RedisServer server;
  const OpenRedis redis(at(server, R"("tls":true,"connect_timeout":"200ms")"));
  EXPECT_HAS(redis.error() + redis.log(), "redis at " + server.address());
}

// ---- what becomes of it

TEST(Redis, WarnsOfAServerThatKeepsNothing) {
  RedisServer nothing({"--save", "", "--appendonly", "no"}), snapshots({"--save", "3600 1", "--appendonly", "no"}), durable;
  EXPECT_HAS(OpenRedis(at(nothing)).log(), "redis at " + nothing.address() + " has persistence off: when it ends, everything in it is gone; set appendonly yes");
  EXPECT_HAS(OpenRedis(at(snapshots)).log(), "writes snapshots only (save 3600 1)");
  EXPECT_EQ(OpenRedis(at(durable)).log(), "");
  auto options = RedisServer::durable();
  options.insert(options.end(), {"--maxmemory-policy", "allkeys-lru"});
  RedisServer evicting(options);
  EXPECT_HAS(OpenRedis(at(evicting)).log(), "throws away keys when its memory is full (maxmemory-policy allkeys-lru)");
}

TEST(Redis, TellsOfEventsThatTheServerHasLost) {
  RedisServer server({"--save", "", "--appendonly", "no"});
  OpenRedis redis(at(server));
  ASSERT_TRUE(redis.append({event(1), event(2)}));
  server.kill();
  server.start();
  ASSERT_TRUE(redis.append({event(3)}));
  EXPECT_HAS(redis.log(), "has lost events that it had acknowledged: all up to " + event_id(2, 0) + "; the ledger still has them");
  EXPECT_EQ(server.field("background_agent_events", "id"), std::vector<std::string>{event_id(3, 0)});
}

TEST(Redis, AFullServerTakesNothingByHalves) {
  auto options = RedisServer::durable();
  RedisServer server(options);
  OpenRedis redis(at(server));
  ASSERT_TRUE(redis.put("1", "apples"));
  server.ask({"CONFIG", "SET", "maxmemory", "1"});
  for (const auto& result : {redis.put("2", "pears"), redis.put("1", "pears"), redis.append({event(1), event(2)})}) {
    ASSERT_FALSE(result);
    EXPECT_HAS(result.error().message, "OOM command not allowed");
    EXPECT_EQ(result.error().error_class, ErrorClass::retryable);
  }
  server.ask({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_EQ(redis.list()->size(), 1u);
  EXPECT_EQ(redis.list()->at(0).text, "apples");
  EXPECT_TRUE(server.field("background_agent_events", "id").empty());
  EXPECT_TRUE(redis.put("2", "pears"));
}

TEST(Redis, LeavesNoKeyBehindWhatIsRemoved) {
  RedisServer server;
  OpenRedis redis(at(server));
  ASSERT_TRUE(redis.put("1", "apples and pears"));
  ASSERT_TRUE(redis.put("1", "plums"));
  EXPECT_EQ(*redis.remove_all(), 1u);
  EXPECT_EQ(server.ask({"DBSIZE"})->integer, 1) << "the counts alone";
}

// ---- what others see

TEST(Redis, ConsumerGroupsReadTheEvents) {
  RedisServer server;
  OpenRedis redis(at(server, R"("stream":"copies")"));
  auto one = event(1, R"({"step": 1})");
  one.run_id = "1-x", one.session_id = "s";
  ASSERT_TRUE(redis.append({one, event(2)}));
  server.ask({"XGROUP", "CREATE", "copies", "readers", "0"});
  const auto read = server.ask({"XREADGROUP", "GROUP", "readers", "me", "COUNT", "10", "STREAMS", "copies", ">"});
  ASSERT_EQ(read->elements, 1u);
  const auto* entries = read->element[0]->element[1];
  ASSERT_EQ(entries->elements, 2u);
  const auto* fields = entries->element[0]->element[1];
  std::string shown;
  for (std::size_t i = 0; i < fields->elements; ++i) shown += std::string(i ? "|" : "") + fields->element[i]->str;
  EXPECT_EQ(shown, "id|" + event_id(1, 0) + "|type|model_call_started|agent_id|a|agent_name|a|run_id|1-x|session_id|s|timestamp|2023-11-14T22:13:20.123Z|payload|{\"step\": 1}");
  ASSERT_TRUE(redis.append({event(1), event(2), event(3)}));
  EXPECT_EQ(server.ask({"XREADGROUP", "GROUP", "readers", "me", "COUNT", "10", "STREAMS", "copies", ">"})->element[0]->element[1]->elements, 1u);
}

TEST(Redis, TrimsTheStreamAndStillKnowsWhatCame) {
  RedisServer server;
  std::vector<Event> all;
  for (int n = 1; n <= 2000; ++n) all.push_back(event(n));
  {
    OpenRedis redis(at(server, R"("max_events":100)"));
    ASSERT_TRUE(redis.append(all));
  }
  const auto length = server.ask({"XLEN", "background_agent_events"})->integer;
  EXPECT_GE(length, 100);
  EXPECT_LT(length, 400);
  OpenRedis redis(at(server, R"("max_events":100)"));
  ASSERT_TRUE(redis.append(all)) << "what was trimmed is not added again";
  EXPECT_EQ(server.ask({"XLEN", "background_agent_events"})->integer, length);
  auto late = event(1);
  late.timestamp += Millis(1);
  OpenRedis again(at(server, R"("max_events":100)"));
  EXPECT_HAS(text_of(again.append({late})), "holds events of another ledger");
}

TEST(Redis, LooksFarBackForWhatComesAgain) {
  RedisServer server;
  std::vector<Event> all;
  for (int n = 1; n <= 3500; ++n) all.push_back(event(n));
  ASSERT_TRUE(OpenRedis(at(server)).append(all));
  OpenRedis redis(at(server));
  for (int from : {0, 1500, 3000}) ASSERT_TRUE(redis.append({all.begin() + from, all.begin() + from + 500})) << from;
  auto other = event(3200);
  other.run_id = "2-y";
  EXPECT_HAS(text_of(OpenRedis(at(server)).append({event(3199), other})), "holds events of another ledger");
  EXPECT_EQ(server.ask({"XLEN", "background_agent_events"})->integer, 3500);
}

TEST(Redis, SharesAStreamWithOthers) {
  RedisServer server;
  const auto foreign = [&] { server.ask({"XADD", "background_agent_events", "*", "id", "7", "event", "of somebody else"}); };
  foreign();
  for (int n = 1; n <= 3; ++n) {
    OpenRedis redis(at(server));
    ASSERT_TRUE(redis.append({event(n)}));
    for (int i = 0; i < 100; ++i) foreign();
    ASSERT_TRUE(redis.append({event(n)}));
  }
  EXPECT_EQ(server.ask({"XLEN", "background_agent_events"})->integer, 304);
}

TEST(Redis, LeavesAKeyOfSomebodyElseAsItIs) {
  RedisServer server;
  server.ask({"SET", "background_agent_events", "precious"});
  server.ask({"SET", "agentd:memory:a:counts", "precious"});
  OpenRedis redis(at(server));
  EXPECT_HAS(text_of(redis.append({event(1)})), "WRONGTYPE");
  EXPECT_HAS(text_of(redis.put("1", "apples")), "WRONGTYPE");
  EXPECT_EQ(server.ask({"DBSIZE"})->integer, 2);
}

// ---- what it is not

TEST(Redis, RefusesACluster) {
  RedisServer server({"--cluster-enabled", "yes", "--cluster-port", std::to_string(support::free_port()), "--save", ""});
  const OpenRedis redis(at(server));
  ASSERT_FALSE(redis);
  EXPECT_HAS(redis.error(), "redis at " + server.address() + ": it is part of a Redis Cluster, which is not supported; name a server that stands alone");
}

}  // namespace
}  // namespace agentd::conformance
