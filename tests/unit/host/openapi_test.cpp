// The document and the routes say the same, in both directions.
#include "host/api/openapi.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "core/event/expand.hpp"
#include "core/port/ledger.hpp"
#include "host/api/context.hpp"
#include "host/api/endpoints.hpp"
#include "host/version.hpp"
#include "host/watch.hpp"

namespace agentd::api {
namespace {

using Names = std::set<std::string>;

// The routes of a host that does not stand: nothing is asked of them, and handlers only keep the reference.
const Routes& routes_of_a_host() {
  alignas(Context) static std::byte nobody[sizeof(Context)];
  static const Routes routes = [] {
    Routes all;
    add_endpoints(all, *reinterpret_cast<Context*>(nobody));
    return all;
  }();
  return routes;
}

std::string in_capitals(std::string method) {
  for (auto& c : method) c = static_cast<char>(std::toupper(c));
  return method;
}

const Json& resolved(const Json& document, const Json& value) {
  const auto reference = value.find("$ref");
  return reference == value.end() ? value : document.at(Json::json_pointer(reference->get<std::string>().substr(1)));
}

// "{id}" in its path, or the path parameters that it declares.
Names captured_by(std::string_view pattern) {
  Names names;
  for (auto begin = pattern.find('{'); begin != pattern.npos; begin = pattern.find('{', begin + 1))
    names.emplace(pattern.substr(begin + 1, pattern.find('}', begin) - begin - 1));
  return names;
}
Names declared_by(const Json& document, const Json& operation, std::string_view in) {
  Names names;
  for (const auto& parameter : operation.value("parameters", Json::array())) {
    const auto& whole = resolved(document, parameter);
    if (whole.at("in") == in) names.insert(whole.at("name"));
  }
  return names;
}

template <class Visit>
void each_operation(const Json& document, Visit visit) {
  for (const auto& [path, item] : document.at("paths").items())
    for (const auto& [method, operation] : item.items()) visit(in_capitals(method), path, operation);
}

Names texts(const Json& list) {
  Names names;
  for (const auto& text : list)
    if (text.is_string()) names.insert(text.get<std::string>());
  return names;
}
const Json& schema(const Json& document, const std::string& name) { return document.at("components").at("schemas").at(name); }

TEST(OpenApi, DescribesEveryRouteAndNoOther) {
  Names described, served;
  each_operation(openapi(), [&](const std::string& method, const std::string& path, const Json&) { described.insert(method + " " + path); });
  for (const auto& route : routes_of_a_host().all()) served.insert(route.method + " " + route.pattern);
  EXPECT_EQ(described, served);
}

TEST(OpenApi, NamesTheParametersOfEachPath) {
  const auto document = openapi();
  each_operation(document, [&](const std::string& method, const std::string& path, const Json& operation) {
    EXPECT_EQ(declared_by(document, operation, "path"), captured_by(path)) << method << " " << path;
  });
}

TEST(OpenApi, NamesTheParametersThatEachRouteReads) {
  const auto document = openapi();
  std::map<std::string, Names> described, read;
  each_operation(document, [&](const std::string& method, const std::string& path, const Json& operation) {
    described[method + " " + path] = declared_by(document, operation, "query");
  });
  for (const auto& route : routes_of_a_host().all()) read[route.method + " " + route.pattern] = Names(route.parameters.begin(), route.parameters.end());
  EXPECT_EQ(described, read);
}

TEST(OpenApi, PagesEveryList) {
  const auto document = openapi();
  each_operation(document, [&](const std::string& method, const std::string& path, const Json& operation) {
    if (method != "GET" || path == "/v1/schedule/{id}") return;  // slots have no last page
    const auto content = resolved(document, operation.at("responses").at("200")).value("content", Json::object());
    if (!content.contains("application/json")) return;
    const auto& schema = resolved(document, content.at("application/json").at("schema"));
    if (!schema.value("properties", Json::object()).contains("next")) return;
    const auto names = declared_by(document, operation, "query");
    EXPECT_TRUE(names.contains("limit") && names.contains(path == "/v1/events" ? "since" : "cursor")) << path;
  });
}

TEST(OpenApi, SaysWhichRoleEachOperationTakes) {
  std::map<std::string, std::string> described, taken;
  each_operation(openapi(), [&](const std::string& method, const std::string& path, const Json& operation) {
    described[method + " " + path] = operation.at("x-agentd-role").get<std::string>();
  });
  for (const auto& route : routes_of_a_host().all()) taken[route.method + " " + route.pattern] = name(route.role);
  EXPECT_EQ(described, taken);
}

TEST(OpenApi, SaysOfEachOperationWhatAnyMayAnswer) {
  each_operation(openapi(), [](const std::string& method, const std::string& path, const Json& operation) {
    for (const auto* status : {"400", "401", "403", "413", "414", "415", "431", "500", "503"})
      EXPECT_TRUE(operation.at("responses").contains(status)) << method << " " << path << ": " << status;
  });
}

TEST(OpenApi, LeavesWhatAnOperationSaysItself) {
  const auto document = openapi();
  const auto& batch = document.at("paths").at("/v1/agents/{id}/batches").at("post").at("responses");
  EXPECT_EQ(batch.at("413").at("$ref"), "#/components/responses/NoItemTaken");
}

TEST(OpenApi, SaysWhichVersionItIsOf) {
  EXPECT_EQ(openapi().at("info").at("version"), kVersion);
  EXPECT_FALSE(openapi().contains("x-every-operation"));
}

TEST(OpenApi, KnowsTheNamesThatTheHostHas) {
  const auto document = openapi();
  const auto types = event::types();
  EXPECT_EQ(texts(schema(document, "EventType").at("enum")), Names(types.begin(), types.end()));
  Names rules;
  for (const auto& [rule, severity] : host::Watch::rules()) rules.insert(rule);
  EXPECT_EQ(texts(schema(document, "Alert").at("properties").at("rule").at("enum")), rules);
  for (const auto& status : texts(schema(document, "RunStatus").at("enum"))) EXPECT_TRUE(port::run_status(status)) << status;
}

TEST(OpenApi, SaysWhatEveryTypeOfEventCarries) {
  const auto document = openapi();
  const auto& event = schema(document, "Event");
  std::multiset<std::string> described;
  for (const auto& one : event.at("oneOf")) {
    const auto& type = one.at("properties").at("type");
    if (type.contains("const")) described.insert(type.at("const").get<std::string>());
    for (const auto& name : type.value("enum", Json::array())) described.insert(name.get<std::string>());
  }
  const auto types = event::types();
  EXPECT_EQ(described, std::multiset<std::string>(types.begin(), types.end()));
}

}  // namespace
}  // namespace agentd::api
