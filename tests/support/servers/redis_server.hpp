// redis-server, and what a client that is not ours sees there.
#pragma once
#include <hiredis/hiredis.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "tests/support/servers/server.hpp"

namespace agentd::support {

class RedisServer final : public Server {
 public:
  using Options = std::vector<std::string>;
  // What it acknowledges outlives it: it is in the file by then, if not on the disk.
  static Options durable() { return {"--appendonly", "yes", "--appendfsync", "everysec", "--save", ""}; }

  explicit RedisServer(Options options = durable(), std::string password = {}) : options_(std::move(options)), password_(std::move(password)) {
    if (!password_.empty()) options_.insert(options_.end(), {"--requirepass", password_});
    start();
  }
  void start() override {
    Options all = {"--bind", "127.0.0.1", "--dir", folder().string()};
    if (std::ranges::find(options_, "--port") == options_.end()) all.insert(all.end(), {"--port", std::to_string(port())});
    all.insert(all.end(), options_.begin(), options_.end());
    run("/usr/bin/redis-server", all, [this] { return is_ready(); });
  }
  bool has_tls() const { return std::ranges::find(options_, "--tls-port") != options_.end(); }

  using Answer = std::unique_ptr<redisReply, void (*)(redisReply*)>;
  Answer ask(const std::vector<std::string>& words) {
    const std::unique_ptr<redisContext, decltype(&::redisFree)> context(::redisConnect("127.0.0.1", port()), &::redisFree);
    if (!password_.empty()) free_answer(static_cast<redisReply*>(::redisCommand(context.get(), "AUTH %s", password_.c_str())));
    std::vector<const char*> texts;
    std::vector<std::size_t> sizes;
    for (const auto& word : words) texts.push_back(word.data()), sizes.push_back(word.size());
    auto* const reply = static_cast<redisReply*>(::redisCommandArgv(context.get(), static_cast<int>(words.size()), texts.data(), sizes.data()));
    if (!reply) throw std::runtime_error(std::string("redis-server: ") + context->errstr);
    return {reply, &free_answer};
  }
  // The values of one field of a stream's entries, in order.
  std::vector<std::string> field(const std::string& stream, const std::string& name) {
    std::vector<std::string> all;
    const auto entries = ask({"XRANGE", stream, "-", "+"});
    for (std::size_t i = 0; i < entries->elements; ++i) {
      const auto* fields = entries->element[i]->element[1];
      for (std::size_t j = 0; j + 1 < fields->elements; j += 2)
        if (std::string_view(fields->element[j]->str) == name) all.emplace_back(fields->element[j + 1]->str, fields->element[j + 1]->len);
    }
    return all;
  }

 private:
  static void free_answer(redisReply* reply) { ::freeReplyObject(reply); }
  bool is_ready() {
    const std::unique_ptr<redisContext, decltype(&::redisFree)> context(::redisConnect("127.0.0.1", port()), &::redisFree);
    if (!context || context->err) return false;
    if (has_tls()) return true;
    const Answer answer(static_cast<redisReply*>(::redisCommand(context.get(), "PING")), &free_answer);
    return answer && !std::string_view(answer->str).starts_with("LOADING");
  }
  Options options_;
  const std::string password_;
};

}  // namespace agentd::support
