#include "core/tool/catalog.hpp"

#include <nlohmann/json.hpp>

#include "core/base/json_text.hpp"
#include "core/tool/policy.hpp"
#include "core/tool/wire_name.hpp"

namespace agentd::tool {
namespace {

constexpr std::size_t kLongestUnknownName = 256;

std::string offer(const Tool& tool) {
  event::ObjectWriter function, entry;
  function.text("name", tool.wire).text("description", tool.spec->summary).raw("parameters", tool.spec->schema);
  return entry.raw("type", R"("function")").raw("function", function.finish()).finish();
}

// Providers take no schema of arguments that is not an object, and refuse the whole request for it.
Result<Schema> compile_arguments(std::string_view schema) {
  const auto first = schema.find_first_not_of(" \t\r\n");
  if (first != schema.npos && schema[first] != '{') return fail(ErrorClass::schema, "the JSON Schema of its arguments is not an object");
  return Schema::compile(schema);
}

event::CallAsked refuse(event::CallAsked asked, event::ToolOutcome outcome, std::string_view words) {
  asked.refused = outcome;
  asked.content.text = json_string(words);
  return asked;
}

}  // namespace

Result<Catalog> Catalog::build(std::vector<Source> sources, const manifest::Tools& policy) {
  Catalog catalog;
  std::string offers;
  for (auto& source : sources) {
    for (const auto& spec : *source.tools) {
      Tool tool{.name = source.name + '.' + spec.name, .toolset = source.toolset, .scope = source.scope, .list = source.tools, .spec = &spec};
      tool.wire = wire_name(tool.name);
      const auto verdict = decide(policy, tool.name);
      tool.asks = verdict == Verdict::ask;
      if (verdict != Verdict::deny) {
        auto schema = compile_arguments(spec.schema);
        if (!schema) {
          catalog.problems_.push_back("the tool \"" + tool.name + "\" is left out: " + schema.error().message);
          continue;
        }
        tool.schema = std::move(*schema);
      }
      const auto place = catalog.tools_.size();
      const auto [at, fresh] = catalog.by_wire_.emplace(tool.wire, place);
      if (!fresh) {
        auto& first = catalog.tools_[at->second];
        if (first.allowed() && tool.allowed())
          return fail("the tools \"" + first.name + "\" and \"" + tool.name + "\" are both \"" + tool.wire + "\" to a provider; deny one of them or rename its toolset");
        if (tool.allowed()) at->second = place;
      }
      catalog.by_name_.emplace(tool.name, place);
      if (tool.allowed()) (offers += offers.empty() ? '[' : ',') += offer(tool);
      catalog.tools_.push_back(std::move(tool));
    }
  }
  if (!offers.empty()) catalog.offered_ = std::move(offers) + ']';
  return catalog;
}

const Tool* Catalog::by_wire(std::string_view wire) const {
  const auto found = by_wire_.find(std::string(wire));
  return found == by_wire_.end() ? nullptr : &tools_[found->second];
}

const Tool* Catalog::by_name(std::string_view full_name) const {
  const auto found = by_name_.find(std::string(full_name));
  return found == by_name_.end() ? nullptr : &tools_[found->second];
}

event::CallAsked Catalog::judge(const port::ToolRequest& request, std::size_t index) const {
  using event::ToolOutcome;
  event::CallAsked asked;
  const Tool* tool = by_wire(request.name);
  const bool blank = request.arguments.find_first_not_of(" \t\r\n") == request.arguments.npos;
  const std::string_view arguments = blank ? std::string_view("{}") : std::string_view(request.arguments);
  if (!tool) {
    asked.tool = to_utf8(clip_utf8(request.name, kLongestUnknownName));
    asked.known = false;
    asked.arguments.text = json_string(clip_utf8(arguments, kLongestArguments));
    const Tool* meant = by_name(asked.tool);  // by the name that people know it by
    std::string why = "error: there is no tool \"" + asked.tool + "\"; " + (meant && meant->allowed() ? "it is \"" + meant->wire + "\" here" : "call only the tools you were given");
    return refuse(std::move(asked), ToolOutcome::error, std::move(why));
  }
  asked.tool = tool->name;
  asked.effect = tool->spec->effect;
  if (index >= kMostCallsOfAnAnswer || arguments.size() > kLongestArguments) {  // not even read
    asked.arguments.text = json_string("");
    return refuse(std::move(asked), ToolOutcome::error, index >= kMostCallsOfAnAnswer ? "error: too many calls in one answer; at most 64 are made" : "error: the arguments are longer than 8 MiB");
  }
  auto parsed = parse_strict(arguments);
  if (!parsed || !parsed->is_object()) {
    asked.arguments.text = json_string(arguments);
    return refuse(std::move(asked), ToolOutcome::error,
                  "error: the arguments are " + (parsed ? std::string("not a JSON object") : parsed.error().message) + "; call the tool again with one JSON object");
  }
  asked.arguments.text = arguments;
  if (!tool->allowed()) return refuse(std::move(asked), ToolOutcome::denied, "denied: this agent may not call \"" + tool->name + "\"");
  if (const auto fits = tool->schema->check(*parsed); !fits)
    return refuse(std::move(asked), ToolOutcome::error, "error: the arguments do not fit: " + fits.error().message);
  asked.asks = tool->asks;
  return asked;
}

}  // namespace agentd::tool
