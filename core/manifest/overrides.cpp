#include "core/manifest/overrides.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/base/json_numbers.hpp"
#include "core/base/json_text.hpp"

namespace agentd::manifest {
namespace {

template <class T>
std::optional<T> whole(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty() ? std::optional(value) : std::nullopt;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 32) : c;
  return out;
}

// Environment variables know capitals, digits and "_" only.
std::string folded(std::string_view name) {
  auto out = lower(name);
  std::ranges::replace_if(out, [](char c) { return c == '-' || c == '.'; }, '_');
  return out;
}

// An integer that nobody here holds stays text: what wants a number says that this is none.
bool is_plain_json(const std::string& text) { return is_json(text) && wide_integer(text).empty(); }

Tree listed(const std::string& text, const Place& place) {
  if (text.starts_with('[') && is_plain_json(text)) return from_json(Json::parse(text), place);
  Tree::List items;
  for (std::size_t at = 0; at < text.size();) {
    const auto comma = std::min(text.find(',', at), text.size());
    const auto first = text.find_first_not_of(' ', at);
    if (first < comma) items.push_back({text.substr(first, text.find_last_not_of(' ', comma - 1) - first + 1), place});
    at = comma + 1;
  }
  return {std::move(items), place};
}

Tree guessed(const std::string& text, const Place& place) {
  if (text == "true" || text == "false") return {text == "true", place};
  if (const auto i = whole<std::int64_t>(text)) return {*i, place};
  const bool is_wide = text.find_first_not_of("-0123456789") == std::string::npos;
  if (const auto f = whole<double>(text); f && !is_wide && text.find_first_not_of("0123456789.-+eE") == std::string::npos) return {*f, place};
  if ((text.starts_with('[') || text.starts_with('{')) && is_plain_json(text)) return from_json(Json::parse(text), place);
  return {text, place};
}

std::vector<std::string> segments(std::string_view name) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at <= name.size();) {
    const auto end = std::min(name.find("__", at), name.size());
    out.push_back(lower(name.substr(at, end - at)));
    at = end + 2;
  }
  return out;
}

// Where a variable leads: follows the tables, and the names that people chose, down to a key.
struct Target {
  std::vector<std::string> path;
  Kind kind = Kind::text;
};

std::string spelling(const Tree* known, const std::string& segment) {
  if (known && known->table())
    for (const auto& entry : *known->table())
      if (folded(entry.key) == segment) return entry.key;
  return segment;
}

Target follow(const std::vector<std::string>& names, const TableKeys& root, const Tree& tree) {
  Target out;
  const TableKeys* keys = &root;
  const Key* key = nullptr;
  const Tree* known = &tree;
  for (const auto& name : names) {
    const bool chosen = !keys && key && (key->kind == Kind::entries || key->kind == Kind::open);
    const auto segment = spelling(known, name);
    const auto* entry = known ? known->find(segment) : nullptr;
    known = entry ? &entry->value : nullptr;
    out.path.push_back(segment);
    if (chosen) {
      keys = key->kind == Kind::entries ? key->table : nullptr;
      out.kind = keys ? Kind::table : key->kind == Kind::entries ? Kind::text : Kind::open;
      if (key->kind == Kind::entries && !keys && key->schema["additionalProperties"].value("type", "") == "object") out.kind = Kind::open;
      continue;
    }
    key = keys ? keys->find(segment) : nullptr;
    out.kind = key ? key->kind : keys && !keys->take_rest ? Kind::text : Kind::open;
    keys = key && key->kind == Kind::table ? key->table : nullptr;
  }
  return out;
}

// A value, not a table, that stands where a path leads through.
const Tree::Entry* value_above(const Tree& tree, const std::vector<std::string>& path) {
  const std::vector<std::string_view> views(path.begin(), path.end());
  for (std::size_t n = 1; n < views.size(); ++n)
    if (const auto* entry = find(tree, std::span(views).first(n)); entry && !entry->value.table()) return entry;
  return nullptr;
}

}  // namespace

Tree typed(Kind kind, const std::string& bytes, const Place& place) {
  const auto text = to_utf8(bytes);
  switch (kind) {
    case Kind::boolean:
      if (text == "1" || text == "true") return {true, place};
      if (text == "0" || text == "false") return {false, place};
      break;
    case Kind::integer:
    case Kind::quantity:
      if (const auto i = whole<std::int64_t>(text)) return {*i, place};
      break;
    case Kind::number:
      if (const auto f = whole<double>(text); f && std::isfinite(*f)) return {*f, place};
      break;
    case Kind::list: return listed(text, place);
    case Kind::open:
    case Kind::table:
    case Kind::entries: return guessed(text, place);
    case Kind::text: break;
  }
  return {text, place};
}

Tree environment_overrides(const Environment& environment, const TableKeys& keys, const Tree& known, const std::string& working_folder,
                           std::vector<Problem>& problems) {
  static constexpr std::string_view kPrefix = "AGENTD__";
  Tree out{Tree::Table{}, {}};
  for (auto at = environment.lower_bound(std::string(kPrefix)); at != environment.end() && at->first.starts_with(kPrefix); ++at) {
    const Place place{std::make_shared<const Source>("env " + at->first, working_folder), 0, 0};
    const auto names = segments(std::string_view(at->first).substr(kPrefix.size()));
    if (std::ranges::any_of(names, [](const auto& s) { return s.empty(); })) {
      problems.push_back(problem_at(place, "not a key: write AGENTD__SECTION__KEY"));
      continue;
    }
    const auto target = follow(names, keys, known);
    if (const auto* whole = value_above(out, target.path)) problems.push_back(problem_at(whole->place, "contradicts " + at->first + ", which sets a part of it"));
    put(out, target.path, typed(target.kind, at->second, place));
  }
  return out;
}

}  // namespace agentd::manifest
