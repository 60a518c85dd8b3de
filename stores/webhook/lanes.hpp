// Requests that go out side by side, one at a time in each lane and in its order.
#pragma once
#include <agentd/sdk/http.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace agentd::webhook {

class Lanes {
 public:
  struct Lane {
    std::size_t left = 0;    // requests that it still has
    bool is_under_way = false;
    bool is_stopped = false;  // until it is asked again
  };
  // What a lane does next.
  class Work {
   public:
    virtual ~Work() = default;
    virtual bool may_begin() = 0;                                   // another request: there is time for it
    virtual sdk::HttpRequest request(std::size_t lane) = 0;
    virtual bool end(std::size_t lane, sdk::HttpResult result) = 0;  // false: this lane stops
  };

  // Until each lane is empty or stopped, or no request may begin any more; none is under way then. All of work runs on the caller's thread.
  static void run(const sdk::Host& host, std::vector<Lane>& lanes, std::size_t parallel, Work& work);
};

}  // namespace agentd::webhook
