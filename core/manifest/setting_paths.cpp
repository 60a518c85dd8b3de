#include "core/manifest/setting_paths.hpp"

#include <array>

#include "core/manifest/form.hpp"

namespace agentd::manifest {
namespace {

const Json* schema_of_member(const Json& schema, const std::string& name) {
  const auto properties = schema.find("properties"), others = schema.find("additionalProperties");
  if (properties != schema.end() && properties->is_object() && properties->contains(name)) return &(*properties)[name];
  return others != schema.end() ? &*others : nullptr;
}

bool is_path(const std::string& text, const Json& schema) {
  return schema.value("format", Json()) == "path" && !text.empty() && !is_secret_ref(text) &&
         text.find('\0') == std::string::npos;
}

bool says_it_is_relative(std::string_view text) {
  return (text == "." || text == ".." || text.starts_with("./") || text.starts_with("../")) && text.find('\0') == std::string_view::npos;
}

void make_dotted_paths_absolute(Reader& reader, Json& params, const Tree& origin) {
  if (params.is_string()) {
    const auto& text = params.get_ref<const std::string&>();
    if (origin.place.source && says_it_is_relative(text)) params = reader.path(origin.place, text, text);
  } else if (params.is_array() && origin.list()) {
    for (std::size_t i = 0; i < params.size() && i < origin.list()->size(); ++i) make_dotted_paths_absolute(reader, params[i], (*origin.list())[i]);
  } else if (params.is_object()) {
    for (auto& [name, member] : params.items())
      if (const auto* entry = origin.find(name)) make_dotted_paths_absolute(reader, member, entry->value);
  }
}

void make_params_absolute(Reader& reader, std::string& params, const Tree& manifest, std::string_view table) {
  const auto* origin = find(manifest, std::array<std::string_view, 2>{table, "params"});
  auto value = Json::parse(params, nullptr, false);
  if (!origin || value.is_discarded()) return;
  make_dotted_paths_absolute(reader, value, origin->value);
  params = value.dump();
}

}  // namespace

void make_paths_absolute(Json& settings, const Tree& origin, const Json& schema, Reader* reader) {
  if (!schema.is_object()) return;
  if (settings.is_string()) {
    const auto& text = settings.get_ref<const std::string&>();
    if (origin.place.source && is_path(text, schema)) settings = reader ? reader->path(origin.place, text, text) : resolve_path(origin.place, text);
  } else if (settings.is_array() && origin.list() && schema.contains("items")) {
    for (std::size_t i = 0; i < settings.size() && i < origin.list()->size(); ++i)
      make_paths_absolute(settings[i], (*origin.list())[i], schema["items"], reader);
  } else if (settings.is_object()) {
    for (auto& [name, member] : settings.items()) {
      const auto* entry = origin.find(name);
      const auto* described = schema_of_member(schema, name);
      if (entry && described) make_paths_absolute(member, entry->value, *described, reader);
    }
  }
}

void make_toolset_paths_absolute(Reader& reader, Tools& tools, const Tree& manifest, const Checks& checks) {
  if (!checks.toolset_schema) return;
  for (auto& [instance, settings] : tools.toolsets) {
    const auto* origin = find(manifest, std::array<std::string_view, 3>{"tools", "toolsets", instance});
    const auto schema = Json::parse(checks.toolset_schema(instance), nullptr, false);
    auto value = Json::parse(settings, nullptr, false);
    if (!origin || schema.is_discarded() || value.is_discarded()) continue;
    make_paths_absolute(value, origin->value, schema, &reader);
    settings = value.dump();
  }
}

void make_native_paths_absolute(Reader& reader, AgentSpec& spec, const Tree& manifest) {
  if (spec.gate) make_params_absolute(reader, spec.gate->params, manifest, "gate");
  if (spec.task.is_native()) make_params_absolute(reader, spec.task.params, manifest, "task");
}

}  // namespace agentd::manifest
