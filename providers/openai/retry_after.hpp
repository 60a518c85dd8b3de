// How long an endpoint asks to wait. Pure: the time of an HTTP date is measured from the answer's own Date where it has one.
#pragma once
#include <agentd/sdk/http.hpp>

#include <cstdint>

namespace agentd::openai {

// In milliseconds; -1: it does not say. At most a day. Reads retry-after-ms, Retry-After (seconds or a date), and OpenAI's
// x-ratelimit-reset-requests and -tokens ("1m30.5s"), of which the one that is used up counts, else the longer.
int64_t retry_after_ms(const sdk::HttpHead& head, int64_t now_unix_s);

}  // namespace agentd::openai
