// One connection, in its database and allowed to work there.
#pragma once
#include <memory>
#include <optional>

#include "command.hpp"
#include "reply.hpp"
#include "settings.hpp"
#include "socket.hpp"
#include "tls.hpp"

struct redisReader;

namespace agentd::redis {

// One thread at a time. After Lost it is good for nothing.
class Connection {
 public:
  // tls: null without. Throws Lost, or sdk::Error when the server refuses us or is none that we can work with.
  Connection(const Server& server, const TlsContext* tls, Deadline until);
  Connection(const Connection&) = delete;

  // An answer of any kind, a refusal too. Throws Lost.
  Reply ask(const Command& command, Deadline until);
  bool is_idle() const { return socket_.is_idle(); }

 private:
  void introduce(const Server& server, Deadline until);
  Reply exchange(const Command& command, bool whole_script, Deadline until);
  void send(std::string_view bytes, Deadline until);
  std::optional<Reply> next_reply();

  Socket socket_;
  std::optional<Tls> tls_;
  std::unique_ptr<redisReader, void (*)(redisReader*)> reader_;
};

}  // namespace agentd::redis
