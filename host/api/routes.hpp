// Which handler answers which method and path.
#pragma once
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "host/api/message.hpp"

namespace agentd::api {

struct Route {
  std::string method;
  std::string pattern;  // "/v1/agents/{id}/runs"
  Handler handler;
  bool vital = false;   // answered however busy the host is: at once, with little
  bool streamed = false;  // its handler reads the body piece by piece, however long it is
  bool proven = false;  // its handler has each request prove where it comes from, so it may come from anywhere and bring any content
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
  void add(std::string method, std::string pattern, Handler handler) { routes_.push_back({std::move(method), std::move(pattern), std::move(handler)}); }
  void add_vital(std::string method, std::string pattern, Handler handler) { routes_.push_back({std::move(method), std::move(pattern), std::move(handler), true}); }
  void add_streamed(std::string method, std::string pattern, Handler handler) { routes_.push_back({std::move(method), std::move(pattern), std::move(handler), false, true}); }
  void add_proven(std::string method, std::string pattern, Handler handler) { routes_.push_back({std::move(method), std::move(pattern), std::move(handler), false, false, true}); }
  // segments: of the path, each decoded. HEAD is answered by GET.
  std::variant<Match, NoSuchPath, NoSuchMethod> find(std::string_view method, const std::vector<std::string>& segments) const;
  const std::vector<Route>& all() const { return routes_; }

 private:
  std::vector<Route> routes_;
};

}  // namespace agentd::api
