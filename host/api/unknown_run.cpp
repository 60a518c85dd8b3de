#include "host/api/unknown_run.hpp"

#include <charconv>

#include "host/api/problem.hpp"

namespace agentd::api {

Async<Document> unknown_run(Context& context, std::string id) {
  const auto text = "there is no run \"" + id + "\"";
  Position position = 0;
  const auto read = std::from_chars(id.data(), id.data() + id.size(), position);
  if (read.ec != std::errc() || read.ptr != id.data() + id.size() || position <= 0) co_return problem(404, text);
  const auto there = co_await context.ledger.events_after(position - 1, 1);
  if (!there || there->empty() || there->front().position != position || there->front().run.position != position) co_return problem(404, text);
  co_return problem(404, text + "; did you mean \"" + to_text(there->front().run) + "\"?");
}

}  // namespace agentd::api
