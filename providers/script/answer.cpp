#include "answer.hpp"

#include <cmath>
#include <cstdio>

#include "condition.hpp"
#include "template.hpp"

namespace agentd::script {
namespace {

using sdk::Error;

std::string fixed(double number, int decimals, const char* unit = "") {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f%s", decimals, number, unit);
  return text;
}

std::string bytes_text(double bytes) {
  static constexpr const char* kUnits[] = {" B", " KiB", " MiB", " GiB", " TiB", " PiB"};
  std::size_t unit = 0;
  while (std::fabs(bytes) >= 1024 && unit + 1 < std::size(kUnits)) bytes /= 1024, ++unit;
  return fixed(bytes, unit == 0 ? 0 : 1, kUnits[unit]);
}

std::size_t count_of(sdk::Json value) {
  std::size_t n = 0;
  if (value.kind() == sdk::Json::Kind::object) value.members([&](std::string_view, sdk::Json) { ++n; });
  else value.elements([&](sdk::Json) { ++n; });
  return n;
}

std::string formatted(sdk::Json value, Format format) {
  switch (format) {
    case Format::round: return fixed(value.number(), 0);
    case Format::fixed1: return fixed(value.number(), 1);
    case Format::bytes: return bytes_text(value.number());
    case Format::count: return std::to_string(count_of(value));
    case Format::json: return std::string(value.text());
    default: return value.kind() == sdk::Json::Kind::string ? value.string() : std::string(value.text());
  }
}

sdk::Json need(const Path& path, const Place& place, const Scene& scene) {
  const sdk::Json value = scene.find(path);
  if (!value) throw Error(place + ": there is no {{" + path.text + "}} in this run: " + scene.what_is_there(path));
  return value;
}

// Calls f for every element of the list at a path, with the element in the scene.
template <class F>
void each(const Path& path, std::size_t limit, const Place& place, Scene& scene, F&& f) {
  const sdk::Json list = need(path, place, scene);
  if (list.kind() != sdk::Json::Kind::array) throw Error(place + ": {{" + path.text + "}} is not a list");
  const auto outer = scene.element;
  std::size_t number = 0;
  list.elements([&](sdk::Json item) {
    if (number >= limit) return;
    scene.element = Scene::Element{item, ++number};
    f();
  });
  scene.element = outer;
}

std::string say(const Placeholder& placeholder, const Place& place, const Scene& scene) {
  const sdk::Json value = need(placeholder.path, place, scene);
  return sdk::detail::reading(place + ": {{" + placeholder.path.text + "}}", [&] { return formatted(value, placeholder.format); });
}

std::vector<sdk::ToolRequest> requests(const std::vector<Call>& calls, Scene& scene) {
  std::vector<sdk::ToolRequest> out;
  // One that is not offered at all is asked for none the less: what the host makes of it is worth a try, too.
  const auto add = [&](const Call& call) {
    if (const auto meant = scene.nearest_tool(call.tool); !meant.empty()) throw Error(call.place + ": there is no tool \"" + call.tool + "\" here; did you mean \"" + meant + "\"?");
    const std::string id = "script_" + std::to_string(scene.answers()) + "_" + std::to_string(out.size());
    out.push_back({id, scene.wire_name(call.tool), fill(call.arguments, scene)});
  };
  for (const auto& call : calls) {
    if (call.each) each(*call.each, call.limit, call.place, scene, [&] { add(call); });
    else add(call);
  }
  return out;
}

const Part& part_for(const Script& script, const Scene& scene) {
  for (const auto& part : script.parts) {
    const bool fits = (part.agent.empty() || part.agent == scene.agent()) && scene.query().find(part.match) != std::string::npos;
    if (fits) return part;
  }
  throw Error(script.file + ": no [[agent]] fits the agent \"" + scene.agent() + "\" with this query");
}

const Choice* choose(const Step& step, Scene& scene) {
  for (const auto& choice : step.choices) {
    bool fits = true;
    for (const auto& condition : choice.when) fits = fits && holds(condition, scene);
    if (fits) return &choice;
  }
  return nullptr;
}

}  // namespace

std::string render(const Text& text, Scene& scene) {
  std::string out;
  for (const auto& piece : text.pieces) {
    if (const auto* plain = std::get_if<std::string>(&piece)) out += *plain;
    if (const auto* placeholder = std::get_if<Placeholder>(&piece)) out += say(*placeholder, text.place, scene);
    if (const auto* loop = std::get_if<std::shared_ptr<const Each>>(&piece)) {
      each((*loop)->path, (*loop)->limit, text.place, scene, [&] { out += render((*loop)->body, scene); });
    }
  }
  return out;
}

std::string fill(const Value& value, Scene& scene) {
  if (const auto* constant = std::get_if<Constant>(&value.is)) return constant->json;
  std::string out;
  if (const auto* text = std::get_if<Text>(&value.is)) {
    const auto* only = only_placeholder(*text);
    if (only && only->format == Format::plain) return std::string(need(only->path, text->place, scene).text());
    if (only && only->format == Format::count) return say(*only, text->place, scene);
    sdk::write_string(out, render(*text, scene));
    return out;
  }
  if (const auto* values = std::get_if<Values>(&value.is)) {
    for (const auto& element : *values) (out += out.empty() ? "[" : ",") += fill(element, scene);
    return out.empty() ? "[]" : out + "]";
  }
  for (const auto& [name, member] : std::get<Members>(value.is)) {
    out += out.empty() ? '{' : ',';
    sdk::write_string(out, name);
    (out += ':') += fill(member, scene);
  }
  return out.empty() ? "{}" : out + "}";
}

Played play(const Script& script, Scene& scene) {
  const auto& steps = part_for(script, scene).steps;
  const auto& step = steps[std::min(scene.answers(), steps.size() - 1)];  // asked once more, it says its last word again
  const Choice* choice = choose(step, scene);
  if (!choice) throw Error(step.place + ": no choice of this step fits; add one without \"when\"");
  if (scene.answers() >= steps.size() && !std::holds_alternative<Text>(choice->action))
    throw Error(step.place + ": the script ends with a call, and the run goes on: add a step that says something");
  Played out;
  out.delay = step.delay;
  if (const auto* text = std::get_if<Text>(&choice->action)) {
    out.answer.text = render(*text, scene);
  } else {
    out.answer.calls = requests(std::get<std::vector<Call>>(choice->action), scene);
    if (out.answer.calls.empty()) throw Error(step.place + ": there is nothing to call: the list of \"each\" is empty");
    out.answer.finish = sdk::Finish::tool_calls;
  }
  return out;
}

}  // namespace agentd::script
