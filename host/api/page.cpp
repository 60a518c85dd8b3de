#include "host/api/page.hpp"

namespace agentd::api {

bool Page::add_text(std::string_view json) {
  if (full() || (count_ > 0 && items_.size() + 1 + json.size() > kPageBytes)) return false;
  if (count_++ > 0) items_ += ',';
  items_ += json;
  return true;
}

Document Page::answer(const Json& next, const Json& beside) const {
  auto body = beside.dump(-1, ' ', false, Json::error_handler_t::replace);
  body.pop_back();
  body += (beside.empty() ? "\"" : ",\"") + name_ + "\":[" + items_ + "],\"next\":" + next.dump() + "}\n";
  return {200, "application/json", std::move(body)};
}

}  // namespace agentd::api
