#include "host/cli/agent_patch.hpp"

#include <memory>
#include <optional>

#include "core/base/json_text.hpp"
#include "core/manifest/toml_text.hpp"

namespace agentd::cli {
namespace {
using Json = nlohmann::ordered_json;
using manifest::Tree;

struct Assignment {
  std::vector<std::string> path;
  Json value;
};

// "key = value" as TOML, when that and nothing else is what the text says.
std::optional<Assignment> read(const std::string& key, const std::string& value) {
  std::vector<manifest::Problem> problems;
  const auto tree = manifest::parse_toml(key + " = " + value, std::make_shared<const manifest::Source>(), problems);
  if (!tree || !problems.empty()) return std::nullopt;
  Assignment assignment;
  std::vector<manifest::Problem> none;
  const auto names = manifest::parse_toml(key + " = 0", std::make_shared<const manifest::Source>(), none);
  if (!names) return std::nullopt;
  const Tree *at = &*tree, *name = &*names;
  for (const auto* table = name->table(); table; table = name->table()) {
    if (table->size() != 1 || !at->table() || at->table()->size() != 1 || at->table()->front().key != table->front().key) return std::nullopt;
    assignment.path.push_back(table->front().key);
    at = &at->table()->front().value;
    name = &table->front().value;
  }
  assignment.value = manifest::to_json(*at);
  return assignment;
}

Result<Assignment> parse(const std::string& change) {
  bool in_quotes = false;
  std::size_t equals = 0;
  for (; equals < change.size() && (in_quotes || change[equals] != '='); ++equals) in_quotes = in_quotes != (change[equals] == '"');
  if (equals >= change.size()) return fail("\"" + change + "\" is not KEY=VALUE; limits.max_steps=3, for instance");
  const auto key = change.substr(0, equals), value = change.substr(equals + 1);
  auto named = key.find_first_of("#\r\n") == std::string::npos ? read(key, "0") : std::nullopt;
  if (!named) return fail("\"" + key + "\" is not a key: dotted as in TOML, limits.max_steps");
  if (to_utf8(value) != value) return fail(key + ": its value is not UTF-8");
  if (value.empty() || value == "null") return named->value = nullptr, std::move(*named);
  if (auto typed = read(key, value)) return std::move(*typed);
  named->value = value;
  return std::move(*named);
}

}  // namespace

Result<Json> agent_patch(const std::vector<std::string>& changes) {
  Json patch = Json::object();
  for (const auto& change : changes) {
    auto assignment = parse(change);
    if (!assignment) return std::unexpected(assignment.error());
    auto* at = &patch;
    for (const auto& name : assignment->path) {
      if (!at->is_object() && !at->is_null()) return fail("\"" + change + "\" is below a key that has a value of its own here");
      at = &(*at)[name];
    }
    if (!at->is_null()) return fail("\"" + change + "\" gives a key another value than a word before it");
    *at = std::move(assignment->value);
  }
  return patch;
}

}  // namespace agentd::cli
