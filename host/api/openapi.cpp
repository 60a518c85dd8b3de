#include "host/api/openapi.hpp"

#include "host/api/endpoints.hpp"
#include "host/openapi_files.hpp"
#include "host/version.hpp"

namespace agentd::api {
namespace {

constexpr const char* kEveryOperation = "x-every-operation";

void lay_over(Json& whole, const Json& part) {
  for (const auto& [name, value] : part.items()) {
    const auto there = whole.find(name);
    if (there != whole.end() && there->is_object() && value.is_object())
      lay_over(*there, value);
    else
      whole[name] = value;
  }
}

// Answers stand in the order of their statuses.
Json with_answers(const Json& own, const Json& common) {
  std::map<std::string, Json> sorted;
  for (const auto& [status, answer] : common.items()) sorted[status] = answer;
  for (const auto& [status, answer] : own.items()) sorted[status] = answer;
  Json all = Json::object();
  for (const auto& [status, answer] : sorted) all[status] = answer;
  return all;
}

}  // namespace

Json openapi() {
  Json whole = Json::object();
  for (const auto& file : host::openapi_files()) lay_over(whole, Json::parse(file.content));
  const auto common = whole.at(kEveryOperation).at("responses");
  whole.erase(kEveryOperation);
  whole["info"]["version"] = kVersion;
  for (auto& path : whole["paths"])
    for (auto& operation : path) operation["responses"] = with_answers(operation["responses"], common);
  return whole;
}

namespace {

Async<Answer> answer_with(std::string text) { co_return Document{200, "application/json", std::move(text)}; }

}  // namespace

// Put together when somebody first asks: few hosts are ever asked.
void add_openapi(Routes& routes) {
  routes.add("GET", "/v1/openapi.json", [text = std::string()](Request) mutable {
    if (text.empty()) text = openapi().dump() + "\n";
    return answer_with(text);
  });
}

}  // namespace agentd::api
