// Which handler answers which method and path.
#pragma once
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "host/api/access.hpp"
#include "host/api/message.hpp"

namespace agentd::api {

struct Route {
  std::string method;
  std::string pattern;  // "/v1/agents/{id}/runs"
  Handler handler;
  Role role = Role::viewer;  // the least that its caller has, where the API has tokens
  bool vital = false;   // answered however busy the host is: at once, with little; and to whoever asks from this machine
  bool streamed = false;  // its handler reads the body piece by piece, however long it is
  bool proven = false;  // its handler has each request prove where it comes from, so it may come from anywhere and bring any content
  bool toml = false;    // its body may be TOML as well as JSON
  std::vector<std::string> parameters = {};  // of the query: those that its handler reads. Another is refused
  bool any_query = false;  // others are no fault, because its callers put them there on their own

  Route& reading(std::vector<std::string> names) {
    parameters = std::move(names);
    return *this;
  }
  Route& for_any_query() {
    any_query = true;
    return *this;
  }
};

struct Match {
  const Route* route;
  std::map<std::string, std::string, std::less<>> captured;
};
struct NoSuchPath {};
struct NoSuchMethod {
  std::string allowed;  // for the Allow header
};

// Built once, then only read.
class Routes {
 public:
  // A viewer may read, an operator steer. What they answer is good until the next.
  Route& add(std::string method, std::string pattern, Handler handler) {
    const auto role = method == "GET" ? Role::viewer : Role::operator_;
    return add(std::move(method), std::move(pattern), std::move(handler), role);
  }
  Route& add(std::string method, std::string pattern, Handler handler, Role role) { return routes_.emplace_back(std::move(method), std::move(pattern), std::move(handler), role); }
  Route& add_vital(std::string method, std::string pattern, Handler handler) { return routes_.emplace_back(std::move(method), std::move(pattern), std::move(handler), Role::metrics, true); }
  Route& add_streamed(std::string method, std::string pattern, Handler handler) { return routes_.emplace_back(std::move(method), std::move(pattern), std::move(handler), Role::operator_, false, true); }
  Route& add_proven(std::string method, std::string pattern, Handler handler) { return routes_.emplace_back(std::move(method), std::move(pattern), std::move(handler), Role::none, false, false, true); }
  Route& add_taking_toml(std::string method, std::string pattern, Handler handler, Role role) {
    auto& route = add(std::move(method), std::move(pattern), std::move(handler), role);
    route.toml = true;
    return route;
  }
  // segments: of the path, each decoded. HEAD is answered by GET.
  std::variant<Match, NoSuchPath, NoSuchMethod> find(std::string_view method, const std::vector<std::string>& segments) const;
  const std::vector<Route>& all() const { return routes_; }

 private:
  std::vector<Route> routes_;
};

}  // namespace agentd::api
