#include "reply.hpp"

#include <agentd/sdk/error.hpp>
#include <hiredis/hiredis.h>

#include <charconv>

namespace agentd::redis {
namespace {
[[noreturn]] void misshapen() { throw sdk::Error("the server answered with something else than Redis does"); }
}  // namespace

bool Value::is_error() const { return raw_->type == REDIS_REPLY_ERROR; }
bool Value::is_nothing() const { return raw_->type == REDIS_REPLY_NIL; }

std::string_view Value::text() const {
  if (raw_->type != REDIS_REPLY_STRING && raw_->type != REDIS_REPLY_STATUS && raw_->type != REDIS_REPLY_ERROR) misshapen();
  return {raw_->str, raw_->len};
}

std::int64_t Value::number() const {
  if (raw_->type == REDIS_REPLY_INTEGER) return raw_->integer;
  std::int64_t value = 0;
  const auto digits = text();
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) misshapen();
  return value;
}

std::size_t Value::size() const {
  if (raw_->type != REDIS_REPLY_ARRAY) misshapen();
  return raw_->elements;
}

Value Value::operator[](std::size_t i) const {
  if (i >= size()) misshapen();
  return Value(raw_->element[i]);
}

Reply::Reply(redisReply* owned) : Value(owned), owned_(owned, [](redisReply* reply) { ::freeReplyObject(reply); }) {}

}  // namespace agentd::redis
