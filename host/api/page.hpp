// A page of a list: bounded in items and in bytes, so that no answer is long in coming and none keeps the engine from everybody
// else.
#pragma once
#include <boost/asio/post.hpp>
#include <string>

#include "core/base/async.hpp"
#include "host/api/json.hpp"

namespace agentd::api {

constexpr std::size_t kPageBytes = 1 << 20;

class Page {
 public:
  // name: the list's in the answer.
  Page(std::string name, std::size_t limit) : name_(std::move(name)), limit_(limit) {}

  // False when the page is full: the item is one of the next page. The first always fits.
  bool add(const Json& item) { return add_text(item.dump(-1, ' ', false, Json::error_handler_t::replace)); }
  bool add_text(std::string_view json);
  bool full() const { return count_ >= limit_; }
  std::size_t size() const { return count_; }

  // next: the cursor of the page that follows, null when there is none. beside: what the answer says besides, an object.
  Document answer(const Json& next, const Json& beside = Json::object()) const;

 private:
  const std::string name_;
  const std::size_t limit_;
  std::string items_;
  std::size_t count_ = 0;
};

// Lets everybody else on the engine thread have a turn: between the items of work that may be long.
inline Async<void> give_way(Executor executor) { co_await boost::asio::post(executor, boost::asio::use_awaitable); }

}  // namespace agentd::api
