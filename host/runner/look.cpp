#include "host/runner/look.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/base/real_world.hpp"
#include "core/plugin/load.hpp"
#include "core/plugin/ports.hpp"

namespace agentd::runner {
namespace {

using nlohmann::ordered_json;

// There is a client, so that a toolset which needs one can be made; it reaches nothing.
class NoNetwork final : public port::HttpClient {
 public:
  explicit NoNetwork(boost::asio::io_context& io) : io_(io) {}
  Id start(port::HttpRequest, port::HttpHandler handler) override {
    boost::asio::post(io_, [end = std::move(handler.end)] { end(fail("there is no network while a plugin is inspected")); });
    return ++last_;
  }
  void pause(Id, bool) override {}
  void abort(Id) override {}

 private:
  boost::asio::io_context& io_;
  Id last_ = 0;
};

ordered_json unknown(std::string why) { return {{"unknown", std::move(why)}}; }

ordered_json to_json(const port::ToolSpec& tool) {
  auto schema = ordered_json::parse(tool.schema, nullptr, false);
  return {{"name", tool.name}, {"summary", tool.summary}, {"effect", port::name(tool.effect)}, {"reconciles", tool.reconciles}, {"schema", schema.is_discarded() ? ordered_json() : std::move(schema)}};
}

// The settings that must be given, for people; empty: none.
std::string required_settings(const std::string& schema) {
  const auto json = ordered_json::parse(schema, nullptr, false);
  std::string names;
  if (!json.is_object()) return names;
  for (const auto& name : json.value("required", ordered_json::array()))
    if (name.is_string()) names += (names.empty() ? "" : ", ") + name.get<std::string>();
  return names;
}

class Look {
 public:
  Look(plugin::Library& library, std::filesystem::path folder, std::chrono::milliseconds patience)
      : library_(library), folder_(std::move(folder)), patience_(patience) {}

  ordered_json at(plugin::Component& component) {
    if (const auto names = required_settings(component.settings_schema); !names.empty()) return unknown("it needs settings: " + names);
    std::optional<ordered_json> seen;
    auto story = [](Look& me, plugin::Component& what, std::optional<ordered_json>& out) -> Async<void> {
      auto opening = plugin::open_toolset(me.instances_, {&me.library_, &what}, what.name, "{}");
      const auto toolset = co_await std::move(opening);
      out = toolset ? me.tools_of(**toolset) : unknown(toolset.error().message);
    };
    spawn(io_.get_executor(), story(*this, component, seen));
    const auto until = std::chrono::steady_clock::now() + patience_ + std::chrono::seconds(1);
    io_.restart();
    while (!seen && io_.run_one_until(until) > 0) {}
    return seen ? std::move(*seen) : unknown("it was not made in time");
  }

 private:
  ordered_json tools_of(const port::Toolset& toolset) const {
    auto tools = ordered_json::array();
    for (const auto& tool : *toolset.tools()) tools.push_back(to_json(tool));
    ordered_json seen{{"tools", std::move(tools)}};
    if (toolset.dynamic()) seen["dynamic"] = true;
    return seen;
  }

  plugin::Library& library_;
  const std::filesystem::path folder_;
  const std::chrono::milliseconds patience_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> busy_{io_.get_executor()};
  SystemClock clock_;
  AsioTimers timers_{io_};
  SystemRandom random_;
  NoNetwork http_{io_};
  plugin::Instances instances_{World{io_.get_executor(), clock_, timers_, random_},
                               {.log = {}, .http = &http_, .metrics = nullptr, .io = &io_, .kv_folder = folder_, .cleaner = nullptr},
                               {.patience = {.create = patience_, .destroy = patience_, .grace = Millis(0)}, .make_workers = {}, .check_settings = {}}};
};

}  // namespace

std::string look_at_tools(const std::filesystem::path& file, const std::filesystem::path& folder, std::chrono::milliseconds patience) {
  const auto library = plugin::load(file);
  if (!library) return ordered_json{{"error", library.error().message}}.dump();
  ordered_json all = ordered_json::object();
  for (const auto& component : (*library)->components)
    if (component->kind == plugin::Kind::toolset) {
      auto* const look = new Look(**library, folder, patience);  // leaked: what is still busy may speak late, and the process ends now
      all[component->name] = look->at(*component);
    }
  return all.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace agentd::runner
