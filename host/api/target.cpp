#include "host/api/target.hpp"

#include <algorithm>
#include <boost/url/parse.hpp>

#include "core/base/json_text.hpp"

namespace agentd::api {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

const char* fault_of(const Target& target) {
  if (!is_utf8(target.path)) return "the path is not UTF-8";
  if (std::ranges::any_of(target.path, is_control)) return "the path has a control character";
  if (std::ranges::any_of(target.segments, [](const auto& s) { return s == "." || s == ".."; }))
    return "the path has a step like \".\" or \"..\"; write the path that is meant";
  for (const auto& [name, value] : target.query) {
    if (!is_utf8(name) || !is_utf8(value)) return "the query is not UTF-8";
    if (name.find('\0') != std::string::npos || value.find('\0') != std::string::npos) return "the query has a NUL";
  }
  return nullptr;
}

}  // namespace

bool is_utf8(std::string_view text) { return to_utf8(text) == text; }

std::expected<Target, std::string> parse_target(std::string_view text) {
  const auto url = boost::urls::parse_origin_form(boost::urls::string_view(text.data(), text.size()));
  if (!url) return std::unexpected("the request's target is not a path");
  Target target{.path = url->path(), .segments = {}, .query = {}};
  for (const auto& segment : url->segments()) target.segments.push_back(segment);
  for (const auto& parameter : url->params()) target.query.emplace_back(parameter.key, parameter.value);
  if (const auto* fault = fault_of(target)) return std::unexpected(fault);
  return target;
}

}  // namespace agentd::api
