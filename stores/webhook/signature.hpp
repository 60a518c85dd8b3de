// Standard Webhooks: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace agentd::webhook {

// Nothing: not such a secret.
std::optional<std::string> key_of(std::string_view secret);

// The header webhook-signature.
std::string signature(std::string_view key, std::string_view id, std::int64_t seconds, std::string_view body);

}  // namespace agentd::webhook
