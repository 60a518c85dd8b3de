#include "core/manifest/setting_faults.hpp"

#include <charconv>

#include "core/manifest/nearest.hpp"
#include "core/manifest/tree.hpp"

namespace agentd::manifest {
namespace {

// "/a~1b/0" -> "a/b", "0"
std::vector<std::string> tokens_of(std::string_view pointer) {
  std::vector<std::string> names;
  if (!pointer.starts_with('/')) return names;
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '/')
      names.emplace_back();
    else if (pointer[i] == '~' && i + 1 < pointer.size())
      names.back() += pointer[++i] == '1' ? '/' : '~';
    else
      names.back() += pointer[i];
  }
  return names;
}

const Tree* item_of(const Tree& tree, const std::string& name) {
  const auto* items = tree.list();
  std::size_t index = 0;
  if (!items || std::from_chars(name.data(), name.data() + name.size(), index).ec != std::errc() || index >= items->size())
    return nullptr;
  return &(*items)[index];
}

// A way down the tree, as far as it goes.
struct Walk {
  const Tree* at;
  Place key;         // where what is reached is named
  Place place;       // of what is wrong: a value's own, a table's where it is named
  std::string text;  // "toolsets.fs.roots[0]"

  void step(const std::string& name) {
    if (const auto* item = at ? item_of(*at, name) : nullptr) {
      at = item;
      key = place = item->place;
      text += "[" + name + "]";
      return;
    }
    text += (text.empty() ? "" : ".") + dotted_key({&name, 1});
    const auto* entry = at ? at->find(name) : nullptr;
    at = entry ? &entry->value : nullptr;
    if (!entry) return;
    key = entry->place;
    place = entry->value.table() ? entry->place : entry->value.place;
  }
};

std::string unknown(const std::string& name, const std::vector<std::string>& known) {
  auto text = "unknown key " + quote(name);
  if (const auto suggestion = did_you_mean(name, known); !suggestion.empty()) return text + suggestion;
  for (std::size_t i = 0; i < known.size(); ++i) text += (i == 0 ? "; there are: " : ", ") + known[i];
  return text;
}

}  // namespace

Problem problem_of(const SettingFault& fault, const Tree& tree, std::span<const std::string> path) {
  Walk walk{&tree, tree.place, tree.place, ""};
  for (const auto& name : path) walk.step(name);
  const auto names = tokens_of(fault.pointer);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const bool is_unknown = fault.known && i + 1 == names.size();
    const auto above = is_unknown ? walk.text : std::string();
    walk.step(names[i]);
    if (is_unknown) return problem_at(walk.key, above + ": " + unknown(names[i], *fault.known));
  }
  return problem_at(walk.place, walk.text + ": " + fault.words);
}

}  // namespace agentd::manifest
