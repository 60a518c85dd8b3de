// `agentd tools list` and `agentd tools call`: the toolsets of a configuration, without a host.
#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>

#include "core/manifest/nearest.hpp"
#include "core/manifest/tree.hpp"
#include "core/tool/call.hpp"
#include "host/apart.hpp"
#include "host/commands.hpp"
#include "host/fatal_plugins.hpp"
#include "host/ground.hpp"
#include "host/setup.hpp"

namespace agentd::host {
namespace {
using Json = nlohmann::ordered_json;

std::string dump(const Json& json, int indent) { return json.dump(indent, ' ', false, Json::error_handler_t::replace); }

// Of an agent whose manifest says nothing.
Millis usual_timeout(const manifest::HostConfig& config) {
  const auto* said = manifest::find(*config.defaults, std::array<std::string_view, 2>{"limits", "tool_call_timeout"});
  if (!said) return manifest::Limits().tool_call_timeout;
  if (const auto* text = said->value.text()) return *parse_duration(*text);  // read and checked with the configuration
  const auto* whole = std::get_if<std::int64_t>(&said->value.value);
  return std::chrono::floor<Millis>(std::chrono::duration<double>(whole ? static_cast<double>(*whole) : std::get<double>(said->value.value)));
}

int say(const cli::Output& to, int code, const std::string& text) {
  to.err << "agentd: " << text << '\n';
  return code;
}

// The answer is what was asked for.
Setup quiet(Setup setup) {
  if (auto& log = setup.loaded.config.log; log.level == "info") log.level = "warn";
  return setup;
}

class Toolsets {
 public:
  Toolsets(const Setup& setup, const cli::Output& to)
      : to_(to), config_(setup.loaded.config), ground_(setup.loaded, setup.around.environment, setup.plugin_folders, config_.host.state_dir) {}

  int list(const cli::ToolsList& command) { return ground_.run(list_story(command)); }
  int call(const cli::ToolsCall& command, const std::string& arguments) { return ground_.run(call_story(command, arguments)); }

 private:
  Async<int> list_story(const cli::ToolsList& command) {
    co_await ground_.ports.open_toolsets([](const std::string&) { return true; });
    cli::Table table({{"tool", cli::Cut::never}, {"effect", cli::Cut::never}, "summary"});
    Json tools = Json::array(), broken = Json::array();
    for (const auto& [name, toolset] : ground_.ports.toolsets()) {
      if (!toolset) {
        broken.push_back({{"toolset", name}, {"reason", toolset.error().message}});
        say(to_, cli::kFailed, "toolset \"" + name + "\" is not there: " + toolset.error().message);
        continue;
      }
      const auto published = (*toolset)->tools();
      for (const auto& tool : *published) {
        table.row({name + "." + tool.name, port::name(tool.effect), tool.summary});
        tools.push_back({{"name", name + "." + tool.name}, {"toolset", name}, {"summary", tool.summary}, {"effect", port::name(tool.effect)}, {"schema", Json::parse(tool.schema, nullptr, false)}});
      }
    }
    to_.out << (command.json ? dump({{"tools", tools}, {"broken_toolsets", broken}}, 2) + "\n" : table.text(to_.terminal)) << std::flush;
    co_await ground_.ports.close();
    co_return broken.empty() ? cli::kDone : cli::kFailed;
  }

  Async<int> call_story(const cli::ToolsCall& command, const std::string& arguments) {
    spawn(ground_.world.executor, cancel_when_asked());
    const int code = co_await find_and_call(command, arguments);
    to_.out.flush();
    if (!stop_.stop_requested()) co_await ground_.ports.close();  // else nothing is waited for
    signals_.cancel();
    co_return code;
  }

  Async<void> cancel_when_asked() {
    const auto [error, number] = co_await signals_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    if (!error) stop_.request_stop();
  }

  // Only the toolset that the tool is named after is made.
  Async<int> find_and_call(const cli::ToolsCall& command, const std::string& arguments) {
    const auto has_it = [&command](const std::string& toolset) { return command.tool.starts_with(toolset + "."); };
    co_await ground_.ports.open_toolsets(has_it);
    std::vector<tool::Source> sources;
    for (const auto& [name, toolset] : ground_.ports.toolsets()) {
      if (!has_it(name)) continue;
      if (!toolset) co_return say(to_, cli::kFailed, "toolset \"" + name + "\" cannot be used: " + ground_.ports.why_not("toolsets", name, toolset.error()));
      sources.push_back({.name = name, .toolset = toolset->get(), .tools = (*toolset)->tools()});
    }
    const auto catalog = tool::Catalog::build(std::move(sources), manifest::Tools{.allow = {"*"}, .ask = {}, .deny = {}, .toolsets = {}});
    if (!catalog) co_return say(to_, cli::kFailed, catalog.error().message);
    const auto* tool = catalog->by_name(command.tool);
    if (!tool) {
      for (const auto& problem : catalog->problems())
        if (problem.contains("\"" + command.tool + "\"")) co_return say(to_, cli::kFailed, problem);
      const auto names = co_await all_names();
      co_return say(to_, cli::kUsage, "there is no tool \"" + command.tool + "\"" + manifest::did_you_mean(command.tool, names) + "; agentd tools list names all");
    }
    co_return co_await call(*catalog, *tool, command, arguments);
  }

  Async<std::vector<std::string>> all_names() {
    co_await ground_.ports.open_toolsets([](const std::string&) { return true; });
    std::vector<std::string> names;
    for (const auto& [name, toolset] : ground_.ports.toolsets()) {
      if (!toolset) continue;
      const auto published = (*toolset)->tools();
      for (const auto& each : *published) names.push_back(name + "." + each.name);
    }
    co_return names;
  }

  Async<int> call(const tool::Catalog& catalog, const tool::Tool& tool, const cli::ToolsCall& command, const std::string& arguments) {
    const auto asked = catalog.judge({.id = {}, .name = tool.wire, .arguments = arguments}, 0);
    if (asked.refused) co_return say(to_, cli::kUsage, tool.name + ": " + words(asked.content));
    const auto run_id = "call-" + std::to_string(ground_.random.next());  // a tool may remember the ids of its calls
    tool::Request request{.tool = &tool, .call_id = run_id + "/1/0", .agent_id = {}, .run_id = run_id, .arguments = asked.arguments.text,
                          .timeout = command.timeout.value_or(usual_timeout(config_)), .cleaner = &ground_.redactor};
    auto calling = tool::call(ground_.world, std::move(request), stop_.get_token());
    const auto reply = co_await std::move(calling);
    co_return tell(tool, command, reply);
  }

  int tell(const tool::Tool& tool, const cli::ToolsCall& command, const tool::Reply& reply) const {
    const bool is_done = reply.outcome == event::ToolOutcome::ok;
    const auto text = words(reply.content);
    const auto value = reply.is_json ? Json::parse(text, nullptr, false) : Json(text);
    if (!is_done) say(to_, cli::kFailed, tool.name + ": " + class_of(reply) + ": " + text);
    if (command.json) {
      Json told = {{"tool", tool.name}, {"effect", port::name(tool.spec->effect)}, {"outcome", event::name(reply.outcome)}, {"duration_ms", reply.duration.count()}};
      if (is_done) told["result"] = value;
      else told.update({{"error", text}, {"error_class", class_of(reply)}});
      to_.out << dump(told, 2) << '\n';
    } else if (is_done) {
      to_.out << (reply.is_json && to_.terminal.is_terminal ? dump(value, 2) : text) << '\n';
    }
    return is_done ? cli::kDone : cli::kFailed;
  }

  std::string class_of(const tool::Reply& reply) const {
    if (reply.outcome == event::ToolOutcome::unknown) return name(ErrorClass::unknown_outcome);
    if (stop_.stop_requested()) return "cancelled";
    if (reply.outcome == event::ToolOutcome::timeout) return name(ErrorClass::timeout);
    return name(reply.status == port::Status::retryable ? ErrorClass::retryable : ErrorClass::terminal);
  }

  // As a model is told, without the word before it that says how it ended.
  static std::string words(const event::Json& content) {
    auto text = event::string_value(content.text).value_or(content.text);
    for (const std::string_view before : {"error: ", "unknown outcome: "})
      if (text.starts_with(before)) return text.substr(before.size());
    return text;
  }

  const cli::Output& to_;
  const manifest::HostConfig& config_;
  Ground ground_;
  std::stop_source stop_;
  boost::asio::signal_set signals_{ground_.io, SIGINT, SIGTERM};
};

}  // namespace

int perform(const cli::ToolsList& command, const cli::Output& to) {
  auto read = usable_setup(command.surroundings, to);
  if (!read) return read.error();
  const auto setup = quiet(std::move(*read));
  const auto end = run_apart([&] { return Toolsets(setup, to).list(command); }, to);
  if (end.signal == 0 || end.interrupted) return end.signal == 0 ? end.exit_code : cli::kFailed;
  for (const auto& problem : fatal_plugins(setup, end.signal)) to.err << manifest::to_text(problem) << '\n';
  return cli::kFailed;
}

int perform(const cli::ToolsCall& command, const cli::Output& to) {
  auto read = usable_setup(command.surroundings, to);
  if (!read) return read.error();
  const auto setup = quiet(std::move(*read));
  const auto arguments = command.arguments == "-" ? std::string(std::istreambuf_iterator<char>(std::cin), {}) : command.arguments;
  const auto end = run_apart([&] { return Toolsets(setup, to).call(command, arguments); }, to);
  if (end.signal == 0) return end.exit_code;
  return say(to, cli::kFailed, command.tool + (end.interrupted ? ": cancelled: it went on when it was told to stop, and was killed" : std::string(": crash: it ended the process (") + strsignal(end.signal) + ")") + "; whether it happened is not known");
}

}  // namespace agentd::host
