// What an answer that was not hoped for says.
#pragma once
#include <agentd/sdk/http.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace agentd::stores {

bool is_success(const sdk::HttpResponse& response);

// "status 503: the first line of its body"
std::string said(const sdk::HttpResponse& response);
// ": TEXT", up to the end of its first line or 200 bytes; empty of nothing.
std::string first_line(std::string_view text);

// Retry-After in seconds, up to an hour; -1: not told, or as a date.
std::int64_t retry_after_ms(const sdk::HttpResponse& response);

}  // namespace agentd::stores
