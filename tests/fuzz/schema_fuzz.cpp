// Any bytes as a JSON Schema, and any bytes after a NUL as a value for it: refused with a sentence, or checked with one answer,
// however often it is asked and however the value came to be written. -timeout=10 says that neither takes long.
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/tool/schema.hpp"

using namespace agentd;

namespace {

void expect(bool holds) {
  if (!holds) std::abort();
}

// What is refused is told in words that fit where errors go.
void expect_words(const Error& error) {
  expect(!error.message.empty() && error.message.size() < 8192);
  static_cast<void>(nlohmann::json(error.message).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

void expect_same(const tool::Schema& schema, const nlohmann::json& value) {
  const auto once = schema.check(value), twice = schema.check(value);
  expect(once.has_value() == twice.has_value());
  if (!once) {
    expect_words(once.error());
    expect(once.error().message == twice.error().message);
  }
  const auto again = tool::parse_strict(value.dump());
  expect(again && *again == value && schema.check(*again).has_value() == once.has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto nul = text.find('\0');
  const auto schema = tool::Schema::compile(text.substr(0, nul));
  if (!schema) expect_words(schema.error());
  const auto value = nul == text.npos ? tool::parse_strict("{}") : tool::parse_strict(text.substr(nul + 1));
  if (!value) expect_words(value.error());
  if (schema && value) expect_same(*schema, *value);
  return 0;
}
