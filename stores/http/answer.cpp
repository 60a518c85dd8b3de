#include "answer.hpp"

#include <algorithm>

namespace agentd::stores {
namespace {

constexpr std::size_t kMostOfALine = 200;
constexpr std::int64_t kMostSeconds = 3600;

}  // namespace

bool is_success(const sdk::HttpResponse& response) { return response.status >= 200 && response.status <= 299; }

std::string said(const sdk::HttpResponse& response) { return "status " + std::to_string(response.status) + first_line(response.body); }

std::string first_line(std::string_view text) {
  const auto line = text.substr(0, std::min(text.find_first_of("\r\n"), kMostOfALine));
  return line.empty() ? "" : ": " + std::string(line);
}

std::int64_t retry_after_ms(const sdk::HttpResponse& response) {
  const std::string header(response.header("retry-after"));
  if (header.empty() || header.size() > 6 || header.find_first_not_of("0123456789") != header.npos) return -1;
  return std::min<std::int64_t>(std::stoll(header), kMostSeconds) * 1000;
}

}  // namespace agentd::stores
