#include "host/api/json.hpp"

#include <charconv>

#include "host/api/problem.hpp"

namespace agentd::api {

Document document(const Json& value, int status) { return {status, "application/json", value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"}; }

Json raw(std::string_view json) {
  if (json.empty()) return {};
  auto value = Json::parse(json, nullptr, false);
  return value.is_discarded() ? Json(std::string(json)) : value;
}

namespace {

std::optional<std::size_t> number(const std::string& text) {
  std::size_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::size_t> limit_of(const Request& request, std::size_t usual, std::size_t most) {
  const auto given = request.parameters("limit");
  if (given.empty()) return usual;
  const auto limit = number(given.front());
  return limit && *limit > 0 && *limit <= most ? limit : std::nullopt;
}

std::optional<std::size_t> offset_of(const Request& request) {
  const auto text = request.parameter("cursor");
  return text.empty() ? std::optional<std::size_t>(0) : number(text);
}

Document ledger_problem(const port::LedgerError& error) {
  const bool later = error.fault == port::LedgerFault::disk_full || error.fault == port::LedgerFault::unavailable;
  auto answer = problem(later ? 503 : error.fault == port::LedgerFault::not_found ? 404 : 500, error.message);
  if (later) answer.headers.emplace_back("Retry-After", "10");
  return answer;
}

}  // namespace agentd::api
