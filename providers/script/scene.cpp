#include "scene.hpp"

#include <algorithm>

namespace agentd::script {
namespace {

using sdk::Json;

std::string content_of(Json message) {
  const Json content = message["content"];
  if (content.kind() == Json::Kind::string) return content.string();
  std::string text;
  if (content.kind() == Json::Kind::array) {
    content.elements([&](Json part) {
      if (const Json piece = part["text"]; piece.kind() == Json::Kind::string) text += piece.string();
    });
  }
  return text;
}

bool begins_with(std::string_view text, std::string_view start) { return text.substr(0, start.size()) == start; }

// Wire names are made by the host: dots become two underscores, what no provider takes becomes one.
std::string usual_wire_name(std::string_view tool) {
  std::string out;
  for (const char c : tool) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (c == '.') out += "__";
    else out += plain ? c : '_';
  }
  return out;
}

std::string usual_name(std::string_view wire_name) {
  std::string out;
  for (std::size_t i = 0; i < wire_name.size(); ++i) {
    const bool dot = wire_name.substr(i, 2) == "__";
    out += dot ? '.' : wire_name[i];
    i += dot ? 1 : 0;
  }
  return out;
}

// A letter too many, one too few, another one, or two in the wrong order.
bool is_a_slip(std::string_view a, std::string_view b) {
  constexpr std::size_t kLeastName = 6;  // shorter ones are too near to each other
  if (a.size() > b.size()) std::swap(a, b);
  if (a == b || a.size() < kLeastName || b.size() - a.size() > 1) return false;
  std::size_t same = 0;
  while (same < a.size() && a[same] == b[same]) ++same;
  if (a.size() < b.size()) return a.substr(same) == b.substr(same + 1);
  if (a.substr(same + 1) == b.substr(same + 1)) return true;
  return same + 1 < a.size() && a[same] == b[same + 1] && a[same + 1] == b[same] && a.substr(same + 2) == b.substr(same + 2);
}

Json member_of(Json value, const std::string& key) {
  const bool index = value.kind() == Json::Kind::array && !key.empty() && key.size() < 9 && key.find_first_not_of("0123456789") == key.npos;
  return index ? value[static_cast<std::size_t>(std::stoul(key))] : value[std::string_view(key)];
}

std::string beginning(const std::string& text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;  // no half of a letter
  return text.substr(0, most) + "...";
}

std::string contents_of(Json value) {
  constexpr std::size_t kMostNames = 16, kLongestText = 200;
  std::size_t n = 0;
  std::string names;
  switch (value.kind()) {
    case Json::Kind::object:
      value.members([&](std::string_view name, Json) {
        if (++n <= kMostNames) (names += n > 1 ? ", " : "") += name;
      });
      return n == 0 ? "has no members" : "has " + names + (n > kMostNames ? ", ..." : "");
    case Json::Kind::array:
      value.elements([&](Json) { ++n; });
      return "is a list of " + std::to_string(n);
    case Json::Kind::string: return "is a text: " + beginning(value.string(), kLongestText);
    default: return "is " + std::string(value.text());
  }
}

}  // namespace

Scene::Scene(const sdk::Prompt& prompt) : agent_(prompt.agent_id()), run_(prompt.run_id()) {
  if (!prompt.tools().empty()) {
    Json(prompt.tools()).elements([&](Json tool) { offered_.push_back(tool["function"]["name"].string()); });
  }
  prompt_bytes_ = prompt.tools().size();
  for (std::size_t i = 0; i < prompt.size(); ++i) prompt_bytes_ += prompt[i].text().size();
  read(prompt);
}

// Where this run begins: after the question before its first tool calls, which carry its name; else after the newest question.
std::size_t Scene::first_of_run(const sdk::Prompt& prompt) const {
  std::size_t last_question = 0;
  for (std::size_t i = 0; i < prompt.size(); ++i) {
    if (prompt[i].role() == sdk::Role::user) last_question = i;
    if (prompt[i].role() != sdk::Role::assistant) continue;
    const Json id = prompt[i].json()["tool_calls"][0]["id"];
    if (!run_.empty() && id.kind() == Json::Kind::string && begins_with(id.string(), run_ + "/")) return last_question;
  }
  return last_question;
}

void Scene::read(const sdk::Prompt& prompt) {
  const std::size_t first = first_of_run(prompt);
  for (std::size_t i = first; i < prompt.size(); ++i) {
    const Json message = prompt[i].json();
    if (i == first) read_question(message);
    if (prompt[i].role() == sdk::Role::assistant) {
      ++answers_;
      read_calls(message);
    }
    if (prompt[i].role() == sdk::Role::tool) read_result(message);
  }
}

// The host writes parameters under the question, as a block of JSON.
void Scene::read_question(Json message) {
  constexpr std::string_view kOpen = "Parameters:\n```json\n", kClose = "\n```";
  query_ = content_of(message);
  const auto open = query_.rfind(kOpen);
  if (open == query_.npos) return;
  const auto close = query_.find(kClose, open + kOpen.size());
  if (close == query_.npos) return;
  params_ = keep(query_.substr(open + kOpen.size(), close - open - kOpen.size()));
  query_.resize(open);
  while (!query_.empty() && query_.back() == '\n') query_.pop_back();
}

void Scene::read_calls(Json message) {
  const Json calls = message["tool_calls"];
  if (calls.kind() != Json::Kind::array) return;
  calls.elements([&](Json call) { calls_.emplace_back(call["id"].string(), call["function"]["name"].string()); });
}

void Scene::read_result(Json message) {
  const std::string id = message["tool_call_id"].string();
  const auto call = std::find_if(calls_.begin(), calls_.end(), [&](const auto& c) { return c.first == id; });
  std::string text = content_of(message);
  if (!Json(text).valid()) {  // words, not JSON: an error, or a result that was shortened
    std::string quoted;
    sdk::write_string(quoted, text);
    text = std::move(quoted);
  }
  results_.push_back({call == calls_.end() ? std::string() : call->second, keep(std::move(text))});
}

Json Scene::keep(std::string text) const {
  texts_.push_back(std::move(text));
  return Json(texts_.back());
}

Json Scene::keep_list(const std::vector<Json>& values) const {
  std::string text = "[";
  for (const Json value : values) (text += text.size() > 1 ? "," : "") += value.text();
  return keep(text + "]");
}

std::string Scene::wire_name(std::string_view tool) const {
  if (std::find(offered_.begin(), offered_.end(), tool) != offered_.end()) return std::string(tool);
  return usual_wire_name(tool);
}

Json Scene::variable(const Path& path, std::size_t& used) const {
  const auto& name = path.variable;
  const auto quoted = [this](const std::string& text) {
    std::string out;
    sdk::write_string(out, text);
    return keep(std::move(out));
  };
  if (name == "query") return quoted(query_);
  if (name == "agent") return quoted(agent_);
  if (name == "params") return params_;
  if (name == "item") return element ? element->item : Json();
  if (name == "number") return element ? keep(std::to_string(element->number)) : Json();
  std::vector<Json> found;
  const bool all = name == "all" && !path.pointer.empty();
  const std::string tool = wire_name(all ? path.pointer[0] : name);
  for (const auto& result : results_)
    if (name == "results" || result.tool == tool) found.push_back(result.value);
  if (name == "results") return keep_list(found);
  used = all ? 1 : 0;
  if (all) return keep_list(found);
  return found.empty() ? Json() : found.back();
}

Json Scene::find(const Path& path) const {
  std::size_t used = 0;
  Json value = variable(path, used);
  for (std::size_t i = used; i < path.pointer.size() && value; ++i) value = member_of(value, path.pointer[i]);
  return value;
}

std::string Scene::what_is_there(const Path& path) const {
  std::size_t used = 0;
  Json value = variable(path, used);
  std::string where = path.variable;
  for (std::size_t i = 0; i < path.pointer.size() && value; ++i) {
    const Json next = i < used ? value : member_of(value, path.pointer[i]);
    if (!next) break;
    value = next;
    where += "/" + path.pointer[i];
  }
  if (value) return where + " " + contents_of(value);
  if (path.variable == "params") return "the run has no parameters";
  if (path.variable == "item" || path.variable == "number") return "it is there inside each and #each alone";
  std::string answered;
  for (const auto& result : results_) {
    const auto name = usual_name(result.tool);
    if (answered.find(name) == answered.npos) (answered += answered.empty() ? "" : ", ") += name;
  }
  return answered.empty() ? "no tool has answered yet" : "those that have answered are " + answered;
}

std::string Scene::nearest_tool(std::string_view tool) const {
  const auto name = wire_name(tool);
  if (std::find(offered_.begin(), offered_.end(), name) != offered_.end()) return {};
  const auto near = std::find_if(offered_.begin(), offered_.end(), [&](const auto& offered) { return is_a_slip(offered, name); });
  return near == offered_.end() ? std::string() : usual_name(*near);
}

}  // namespace agentd::script
