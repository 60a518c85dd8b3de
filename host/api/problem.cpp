#include "host/api/problem.hpp"

#include <boost/beast/http/status.hpp>

#include "core/base/json_text.hpp"

namespace agentd::api {

std::string_view reason(int status) {
  const auto text = boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(static_cast<unsigned>(status)));
  return {text.data(), text.size()};
}

std::string pointer_to(std::string_view member) {
  std::string pointer = "/";
  for (const char c : member) {
    if (c == '~') pointer += "~0";
    else if (c == '/') pointer += "~1";
    else pointer += c;
  }
  return pointer;
}

Document problem(int status, std::string_view detail, const std::vector<InputError>& errors) {
  std::string body = R"({"type":"about:blank","title":)";
  append_json_string(body, reason(status));
  body += ",\"status\":" + std::to_string(status) + ",\"detail\":";
  append_json_string(body, detail);
  for (std::size_t i = 0; i < errors.size(); ++i) {
    body += i == 0 ? ",\"errors\":[" : ",";
    body += "{\"pointer\":" + json_string(errors[i].pointer) + ",\"detail\":" + json_string(errors[i].detail);
    if (errors[i].line > 0) body += ",\"line\":" + std::to_string(errors[i].line) + ",\"column\":" + std::to_string(errors[i].column);
    body += '}';
  }
  if (!errors.empty()) body += ']';
  body += "}\n";
  return {status, "application/problem+json", std::move(body)};
}

}  // namespace agentd::api
