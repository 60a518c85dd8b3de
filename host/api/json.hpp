// JSON documents of the API.
#pragma once
#include <nlohmann/json.hpp>
#include <optional>

#include "core/base/time.hpp"
#include "core/port/ledger.hpp"
#include "host/api/message.hpp"

namespace agentd::api {

using Json = nlohmann::ordered_json;

Document document(const Json& value, int status = 200);
inline Json instant(std::optional<Instant> at) { return at ? Json(format_instant(*at)) : Json(); }
inline Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }
// A text that is JSON already; null when it is empty.
Json raw(std::string_view json);

// "limit" of a list: within 1 and most; `usual` without one. Nothing: not a number in that range, such as none at all.
std::optional<std::size_t> limit_of(const Request& request, std::size_t usual, std::size_t most);

// "cursor" of a list whose cursor is a number of items; 0 without one. Nothing: not a number.
std::optional<std::size_t> offset_of(const Request& request);

// The ledger's word as an answer: 503 while the disk is full or it cannot be reached, else 500.
Document ledger_problem(const port::LedgerError& error);

}  // namespace agentd::api
