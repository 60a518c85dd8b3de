#include "connection.hpp"

#include <hiredis/hiredis.h>

#include <array>
#include <charconv>
#include <new>
#include <string>

#include "refusal.hpp"

namespace agentd::redis {
namespace {

constexpr std::size_t kOnePiece = 16 << 10;
constexpr int kMajor = 6, kMinor = 2;  // the first whose scripts may walk a stream backwards from behind an entry

bool is_too_old(std::string_view version) {
  int major = 0, minor = 0;
  const auto* const end = version.data() + version.size();
  const auto dot = std::from_chars(version.data(), end, major).ptr;
  if (dot != end) std::from_chars(dot + 1, end, minor);
  return major < kMajor || (major == kMajor && minor < kMinor);
}

std::string_view member(const Value& map, std::string_view name) {
  for (std::size_t i = 0; i + 1 < map.size(); i += 2)
    if (map[i].text() == name) return map[i + 1].text();
  return {};
}

Reply accepted(Reply reply) {
  if (is_not_ready(reply.is_error() ? reply.text() : std::string_view())) throw Lost(std::string(reply.text()));
  if (reply.is_error()) throw refusal(reply.text());
  return reply;
}

}  // namespace

Connection::Connection(const Server& server, const TlsContext* tls, Deadline until) : socket_(server.host, server.port, until), reader_(::redisReaderCreate(), &::redisReaderFree) {
  if (!reader_) throw std::bad_alloc();
  if (tls) tls_.emplace(socket_, *tls, server.host, until);
  try {
    introduce(server, until);
  } catch (Lost& lost) {
    lost.asked = false;  // nothing that matters
    throw;
  }
}

void Connection::introduce(const Server& server, Deadline until) {
  if (!server.username.empty()) accepted(ask(Command("AUTH", server.username, server.password), until));
  else if (!server.password.empty()) accepted(ask(Command("AUTH", server.password), until));
  const auto hello = ask(Command("HELLO", 2, "SETNAME", "agentd"), until);
  if (hello.is_error() && hello.text().starts_with("ERR unknown command")) throw sdk::Error("it is older than Redis 6.2, which is wanted");
  const auto about = accepted(hello);
  if (is_too_old(member(about, "version"))) throw sdk::Error("it is Redis " + std::string(member(about, "version")) + ", and 6.2 or newer is wanted");
  if (member(about, "mode") == "cluster") throw sdk::Error("it is part of a Redis Cluster, which is not supported; name a server that stands alone");
  if (member(about, "mode") == "sentinel") throw sdk::Error("it is a Sentinel, which keeps no data; name the server");
  if (server.db != 0) accepted(ask(Command("SELECT", server.db), until));
}

void Connection::send(std::string_view bytes, Deadline until) {
  if (tls_) tls_->send(bytes, until);
  else socket_.send(bytes, until);
}

std::optional<Reply> Connection::next_reply() {
  void* reply = nullptr;
  if (::redisReaderGetReply(reader_.get(), &reply) != REDIS_OK) throw Lost(std::string("what came is not the protocol of Redis: ") + reader_->errstr);
  if (!reply) return std::nullopt;
  return Reply(static_cast<redisReply*>(reply));
}

Reply Connection::ask(const Command& command, Deadline until) {
  auto reply = exchange(command, false, until);
  if (!reply.is_error() || !command.has_script() || !reply.text().starts_with("NOSCRIPT ")) return reply;
  return exchange(command, true, until);
}

// Redis does nothing before it has read a command to its end: what breaks off while it is sent was not done.
Reply Connection::exchange(const Command& command, bool whole_script, Deadline until) {
  auto head = command.head(whole_script);
  const bool is_small = command.body().size() < kOnePiece;
  if (is_small) head += command.body();
  send(head, until);
  if (!is_small) send(command.body(), until);
  try {
    std::array<char, 64 << 10> bytes;
    for (;;) {
      if (auto reply = next_reply()) return *reply;
      const auto size = tls_ ? tls_->receive(bytes.data(), bytes.size(), until) : socket_.receive(bytes.data(), bytes.size(), until);
      if (::redisReaderFeed(reader_.get(), bytes.data(), size) != REDIS_OK) throw std::bad_alloc();
    }
  } catch (Lost& lost) {
    lost.asked = true;
    throw;
  }
}

}  // namespace agentd::redis
