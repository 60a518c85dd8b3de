// What a server answered.
#pragma once
#include <cstdint>
#include <memory>
#include <string_view>

struct redisReply;

namespace agentd::redis {

// A view into a Reply. Throws sdk::Error where the answer has another shape than was asked for.
class Value {
 public:
  explicit Value(const redisReply* raw) : raw_(raw) {}
  bool is_error() const;
  bool is_nothing() const;
  std::string_view text() const;  // of an error too
  std::int64_t number() const;    // also one that is written as text
  std::size_t size() const;
  Value operator[](std::size_t i) const;

 private:
  const redisReply* raw_;
};

class Reply : public Value {
 public:
  explicit Reply(redisReply* owned);

 private:
  std::shared_ptr<redisReply> owned_;  // shared: a reply may be copied, its values point into it
};

}  // namespace agentd::redis
