#include "core/manifest/settings.hpp"

#include "core/manifest/config_keys.hpp"

namespace agentd::manifest {
namespace {

// A configuration that was refused may still hold literal secrets.
Json masked(const Json& value, const std::string& key) {
  if (value.is_string()) return is_literal_secret(key, value.get_ref<const std::string&>()) ? Json("(hidden)") : value;
  Json out = value;
  if (value.is_structured())
    for (auto item = out.begin(); item != out.end(); ++item) *item = masked(*item, out.is_object() ? item.key() : key);
  return out;
}

std::string origin(const Tree& tree, const std::vector<std::string>& path) {
  const std::vector<std::string_view> views(path.begin(), path.end());
  const auto* entry = find(tree, views);
  if (!entry || !entry->place.source) return "default";
  return entry->place.source->name + (entry->place.line > 0 ? ":" + std::to_string(entry->place.line) : "");
}

void collect(const Json& value, std::vector<std::string>& path, const Tree& tree, std::vector<Setting>& out) {
  if (!value.is_object()) {
    out.push_back({dotted_key(path), masked(value, path.back()).dump(-1, ' ', false, Json::error_handler_t::replace), origin(tree, path)});
    return;
  }
  for (const auto& [name, item] : value.items()) {
    path.push_back(name);
    collect(item, path, tree, out);
    path.pop_back();
  }
}

// What is not built is not in force.
void drop_unsupported(Json& value, const TableKeys& keys) {
  for (const auto& key : keys.keys) {
    const auto found = value.find(key.name);
    if (found == value.end()) continue;
    if (!key.is_supported) value.erase(found);
    else if (key.kind == Kind::table && key.table) drop_unsupported(*found, *key.table);
  }
}

}  // namespace

std::vector<Setting> settings_in_force(const HostConfig& config, const Tree& tree) {
  const HostConfig plain;
  std::vector<Setting> out;
  std::vector<std::string> path;
  auto all = write_table(config_keys(), &config, &plain, true);
  drop_unsupported(all, config_keys());
  collect(all, path, tree, out);
  return out;
}

}  // namespace agentd::manifest
