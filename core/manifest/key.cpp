#include "core/manifest/key.hpp"

#include <algorithm>

#include "core/manifest/nearest.hpp"

namespace agentd::manifest {
namespace {


bool holds(const std::vector<Json>& values, const Json& value) { return std::ranges::find(values, value) != values.end(); }

// Where a name stands that was written one table too high: `"max_steps" belongs in [limits]`.
std::string table_that_has(const TableKeys& keys, std::string_view name) {
  for (const auto& key : keys.keys)
    if (key.kind == Kind::table && key.table && key.table->find(name)) return key.name;
  return "";
}

std::string unknown(const TableKeys& keys, const std::string& name) {
  const std::string text = "unknown key " + quote(name);
  for (const auto& moved : keys.moved)
    if (moved.name == name) return text + "; " + moved.hint;
  if (const auto table = table_that_has(keys, name); !table.empty()) return text + "; " + quote(name) + " belongs in [" + table + "]";
  return text + did_you_mean(name, keys.names());
}

void read_key(Reader& reader, const Key& key, const Tree::Entry& entry, void* object) {
  if (reader.canonical) return key.read(reader, entry.value, object);
  if (!key.is_supported) return reader.problem(entry.place, quote(key.name) + " is not supported yet");
  const auto value = key.refused.empty() && key.accepted.empty() ? Json() : to_json(entry.value);
  if (holds(key.refused, value) || (!key.accepted.empty() && !holds(key.accepted, value))) {
    const auto before = reader.problems.size();
    key.read(reader, entry.value, object);  // a value of the wrong type is that first
    if (reader.problems.size() == before) reader.problem(entry.place, quote(key.name) + " = " + value.dump() + " is not supported yet");
    return;
  }
  key.read(reader, entry.value, object);
}

}  // namespace

const Key* TableKeys::find(std::string_view name) const {
  const auto at = std::ranges::find(keys, name, &Key::name);
  return at == keys.end() ? nullptr : &*at;
}

std::vector<std::string> TableKeys::names() const {
  std::vector<std::string> out;
  for (const auto& key : keys) out.push_back(key.name);
  return out;
}

void read_table(Reader& reader, const Tree& tree, const TableKeys& keys, void* object) {
  const auto* table = tree.table();
  if (!table) return;
  Json rest = Json::object();
  for (const auto& entry : *table) {
    const auto* key = keys.find(entry.key);
    if (key && key->is_read_first) read_key(reader, *key, entry, object);
    if (key) continue;
    if (!keys.take_rest) {
      reader.problem(entry.place, unknown(keys, entry.key));
      continue;
    }
    rest[entry.key] = open_value(reader, entry.value, entry.key);
  }
  if (keys.take_rest) keys.take_rest(std::move(rest), object);
  for (const auto& entry : *table)
    if (const auto* key = keys.find(entry.key); key && !key->is_read_first) read_key(reader, *key, entry, object);
  for (const auto& key : keys.keys)
    if (key.is_required && !tree.find(key.name)) reader.problem(tree.place, quote(key.name) + " is missing");
}

Json write_table(const TableKeys& keys, const void* object, const void* plain, bool with_defaults) {
  Json out = keys.rest ? keys.rest(object) : Json::object();
  for (const auto& key : keys.keys) {
    Json value = key.write(object, with_defaults);
    if (value.is_null()) continue;
    if (with_defaults || key.is_required || value != key.write(plain, with_defaults)) out[key.name] = std::move(value);
  }
  return out;
}

Json schema_of(const TableKeys& keys) {
  Json properties = Json::object(), required = Json::array();
  for (const auto& key : keys.keys) {
    Json schema = key.schema;
    if (!key.is_supported) schema = {{"not", Json::object()}};
    if (!key.refused.empty()) schema["not"] = {{"enum", key.refused}};
    if (!key.accepted.empty()) schema["enum"] = key.accepted;
    const bool partly = !key.is_supported || !key.refused.empty() || !key.accepted.empty();
    schema["description"] = key.doc + (!partly ? "" : key.is_supported ? " Not every value is supported yet." : " Not supported yet.");
    properties[key.name] = std::move(schema);
    if (key.is_required) required.push_back(key.name);
  }
  Json out = {{"type", "object"}, {"properties", std::move(properties)}};
  if (!keys.take_rest) out["additionalProperties"] = false;
  if (!required.empty()) out["required"] = std::move(required);
  return out;
}

}  // namespace agentd::manifest
