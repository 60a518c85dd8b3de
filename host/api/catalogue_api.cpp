#include <algorithm>

#include "host/api/endpoints.hpp"
#include "host/api/json.hpp"
#include "host/api/page.hpp"
#include "host/api/problem.hpp"

namespace agentd::api {
namespace {

Json broken_toolsets(const Context& context) {
  Json broken = Json::array();
  for (const auto& [name, toolset] : context.ports.toolsets())
    if (!toolset) broken.push_back({{"toolset", name}, {"reason", toolset.error().message}});
  return broken;
}

// Cursor is how many tools the pages before had.
Async<Answer> tools(const Context& context, Request request) {
  const auto limit = limit_of(request, 1000, 1000);
  if (!limit) co_return problem(400, "limit is a number from 1 to 1000");
  const auto first = offset_of(request);
  if (!first) co_return problem(400, "cursor is what `next` said");
  const Json beside = {{"broken_toolsets", broken_toolsets(context)}};
  Page page("tools", *limit);
  std::size_t seen = 0;
  for (const auto& [name, toolset] : context.ports.toolsets()) {
    if (!toolset) continue;
    const auto list = (*toolset)->tools();
    for (const auto& tool : *list) {
      if (seen++ < *first) continue;
      const Json item = {{"name", name + "." + tool.name}, {"toolset", name}, {"summary", tool.summary}, {"effect", port::name(tool.effect)}, {"schema", raw(tool.schema)}};
      if (!page.add(item)) co_return page.answer(std::to_string(*first + page.size()), beside);
    }
    co_await give_way(context.world.executor);
  }
  co_return page.answer(nullptr, beside);
}

// Those that are loaded, then those that are broken. Cursor is how many of them the pages before had.
Async<Answer> plugins(const Context& context, Request request) {
  const auto limit = limit_of(request, 1000, 1000);
  if (!limit) co_return problem(400, "limit is a number from 1 to 1000");
  const auto first = offset_of(request);
  if (!first) co_return problem(400, "cursor is what `next` said");
  Json list = Json::array();
  const auto outdated = context.ports.catalog().outdated();
  for (const auto& library : context.ports.catalog().libraries()) {
    const auto changed = std::ranges::find(outdated, library->file, &plugin::Catalog::Outdated::file);
    Json components = Json::array();
    for (const auto& c : library->components) components.push_back({{"kind", plugin::name(c->kind)}, {"name", c->name}, {"summary", c->summary}, {"interface", c->interface_id}});
    const auto disabled = library->disabled();
    list.push_back({{"name", library->name}, {"version", library->version}, {"license", library->license}, {"file", library->file.string()},
                    {"state", disabled ? "disabled" : "loaded"}, {"reason", disabled ? Json(*disabled) : Json()}, {"components", components}, {"needs_restart", changed == outdated.end() ? Json() : Json(changed->is_gone ? "its file is gone" : "its file has changed")}});
  }
  for (const auto& broken : context.ports.catalog().broken())
    list.push_back({{"name", broken.name}, {"version", nullptr}, {"license", nullptr}, {"file", broken.file.string()}, {"state", "broken"}, {"reason", broken.reason}, {"components", Json::array()}, {"needs_restart", nullptr}});
  Page page("plugins", *limit);
  for (auto at = *first; at < list.size(); ++at)
    if (!page.add(list[at])) co_return page.answer(std::to_string(at));
  co_return page.answer(nullptr);
}

}  // namespace

void add_catalogue(Routes& routes, Context& context) {
  routes.add("GET", "/v1/tools", [&context](Request r) { return tools(context, std::move(r)); }).reading({"limit", "cursor"});
  routes.add("GET", "/v1/plugins", [&context](Request r) { return plugins(context, std::move(r)); }).reading({"limit", "cursor"});
}

}  // namespace agentd::api
