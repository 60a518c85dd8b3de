#include "core/manifest/tree.hpp"

#include <algorithm>

#include "core/base/json_text.hpp"

namespace agentd::manifest {
namespace {

struct ToJson {
  Json operator()(std::monostate) const { return nullptr; }
  Json operator()(bool v) const { return v; }
  Json operator()(std::int64_t v) const { return v; }
  Json operator()(double v) const { return v; }
  Json operator()(const std::string& v) const { return v; }
  Json operator()(const Moment& v) const { return v.text; }
  Json operator()(const Tree::List& list) const {
    Json out = Json::array();
    for (const auto& item : list) out.push_back(to_json(item));
    return out;
  }
  Json operator()(const Tree::Table& table) const {
    Json out = Json::object();
    for (const auto& entry : table) out[entry.key] = to_json(entry.value);
    return out;
  }
};

Tree::Entry* find_mutable(Tree::Table& table, std::string_view key) {
  const auto at = std::ranges::find(table, key, &Tree::Entry::key);
  return at == table.end() ? nullptr : &*at;
}

constexpr std::size_t kLongestToken = 128, kLongestPointer = 1024;  // bytes; of what is longer the beginning says enough

std::string pointer_token(std::string_view name) {
  std::string token = "/";
  for (const char c : clip_utf8(name, kLongestToken)) token += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return name.size() > kLongestToken ? token + "..." : token;
}

std::string pointer_of(const Source& source, int line) {
  std::string pointer;
  for (; line > 0 && pointer.size() < kLongestPointer; line = source.steps[static_cast<std::size_t>(line) - 1].parent)
    pointer.insert(0, source.steps[static_cast<std::size_t>(line) - 1].token);
  return pointer;
}

Tree located(const Json& json, const std::shared_ptr<Source>& source, int parent, std::string token) {
  source->steps.push_back({parent, std::move(token)});
  const Place place{source, static_cast<int>(source->steps.size()), 1};
  if (json.is_array()) {
    Tree::List list;
    for (std::size_t i = 0; i < json.size(); ++i) list.push_back(located(json[i], source, place.line, '/' + std::to_string(i)));
    return {std::move(list), place};
  }
  if (!json.is_object()) return from_json(json, place);
  Tree::Table table;
  for (const auto& [key, item] : json.items()) {
    auto value = located(item, source, place.line, pointer_token(key));
    auto at = value.place;
    table.push_back({key, std::move(at), std::move(value)});
  }
  return {std::move(table), place};
}

}  // namespace

Problem problem_at(const Place& place, std::string message) {
  if (!place.source) return {"", place.line, place.column, std::move(message)};
  const bool is_in_document = place.line > 0 && static_cast<std::size_t>(place.line) <= place.source->steps.size();
  if (is_in_document) return {place.source->name, 0, 0, std::move(message), pointer_of(*place.source, place.line)};
  return {place.source->name, place.line, place.column, std::move(message)};
}

const Tree::Entry* Tree::find(std::string_view key) const {
  const auto* entries = table();
  if (!entries) return nullptr;
  const auto at = std::ranges::find(*entries, key, &Entry::key);
  return at == entries->end() ? nullptr : &*at;
}

const char* kind_of(const Tree& tree) {
  static constexpr std::array kNames = {"nothing", "true or false", "a whole number", "a number", "text", "a date", "a list", "a table"};
  return kNames[tree.value.index()];
}

const Tree::Entry* find(const Tree& tree, std::span<const std::string_view> path) {
  const Tree::Entry* entry = nullptr;
  const Tree* at = &tree;
  for (const auto key : path) {
    entry = at->find(key);
    if (!entry) return nullptr;
    at = &entry->value;
  }
  return entry;
}

Place place_of(const Tree& tree, std::span<const std::string_view> path) {
  for (auto n = path.size(); n > 0; --n)
    if (const auto* entry = find(tree, path.first(n))) return entry->place;
  return tree.place;
}

void put(Tree& root, std::span<const std::string> path, Tree value) {
  if (path.empty()) {
    root = std::move(value);
    return;
  }
  if (!root.table()) root = Tree{Tree::Table{}, value.place};
  auto& table = std::get<Tree::Table>(root.value);
  auto* entry = find_mutable(table, path.front());
  if (!entry) entry = &table.emplace_back(path.front(), value.place, Tree{Tree::Table{}, value.place});
  if (path.size() == 1) entry->place = value.place;
  put(entry->value, path.subspan(1), std::move(value));
}

void merge(Tree& under, const Tree& over) {
  if (!under.table() || !over.table()) {
    under = over;
    return;
  }
  auto& table = std::get<Tree::Table>(under.value);
  if (over.place.line > 0) under.place = over.place;
  for (const auto& entry : *over.table()) {
    if (auto* same = find_mutable(table, entry.key)) {
      if (entry.place.line > 0 || !entry.value.table()) same->place = entry.place;
      merge(same->value, entry.value);
    } else {
      table.push_back(entry);
    }
  }
}

std::string dotted_key(std::span<const std::string> path) {
  std::string out;
  for (const auto& name : path) {
    const bool bare = !name.empty() && name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == std::string::npos;
    out += (out.empty() ? "" : ".") + (bare ? name : quote(name));
  }
  return out;
}

Json to_json(const Tree& tree) { return std::visit(ToJson{}, tree.value); }

Tree from_json(const Json& json, const Place& place) {
  Tree tree{{}, place};
  if (json.is_boolean()) tree.value = json.get<bool>();
  else if (json.is_number_unsigned() && json.get<std::uint64_t>() > INT64_MAX) tree.value = json.dump();  // no number here holds it
  else if (json.is_number_integer()) tree.value = json.get<std::int64_t>();
  else if (json.is_number()) tree.value = json.get<double>();
  else if (json.is_string()) tree.value = json.get<std::string>();
  else if (json.is_array()) {
    Tree::List list;
    for (const auto& item : json) list.push_back(from_json(item, place));
    tree.value = std::move(list);
  } else if (json.is_object()) {
    Tree::Table table;
    for (const auto& [key, item] : json.items()) table.push_back({key, place, from_json(item, place)});
    tree.value = std::move(table);
  }
  return tree;
}

Tree from_document(const Json& json, const std::shared_ptr<Source>& source) { return located(json, source, 0, ""); }

}  // namespace agentd::manifest
