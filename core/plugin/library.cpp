#include "core/plugin/library.hpp"

#include <agentd/abi/events.h>
#include <agentd/abi/memory.h>
#include <agentd/abi/provider.h>
#include <agentd/abi/task.h>
#include <agentd/abi/toolset.h>

#include <array>

#include "core/base/json_text.hpp"
#include "core/plugin/abi_text.hpp"

namespace agentd::plugin {
namespace {

constexpr std::array kKindNames = {"toolset", "task", "provider", "memory", "events", "ledger", "unsupported"};
constexpr std::uint32_t kMostComponents = 256;
constexpr std::size_t kMostServices = 64, kMostText = 256, kMostSchema = 1 << 20;

Kind kind_of(std::string_view interface_id) {
  if (interface_id == AGENTD_TOOLSET_1) return Kind::toolset;
  if (interface_id == AGENTD_TASK_1) return Kind::task;
  if (interface_id == AGENTD_PROVIDER_1) return Kind::provider;
  if (interface_id == AGENTD_MEMORY_1) return Kind::memory;
  if (interface_id == AGENTD_EVENTS_1) return Kind::events;
  if (interface_id.starts_with("agentd.ledger/")) return Kind::ledger;
  return Kind::unsupported;
}

// [a-z0-9][a-z0-9_]{0,63}
bool is_name(std::string_view text) {
  if (text.empty() || text.size() > 64 || text.front() == '_') return false;
  for (const char c : text)
    if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_') return false;
  return true;
}

bool is_text(agentd_str text, std::size_t most) {
  return is_sound(text) && text.size <= most && to_utf8(view(text)) == view(text);
}

Result<void> check_component(const agentd_component* c) {
  if (!c) return fail("its descriptor names a component that is NULL");
  if (c->size < sizeof(agentd_component)) return fail("a component of its descriptor is smaller than this ABI's");
  if (!is_sound(c->name) || !is_name(view(c->name))) return fail("the name of a component is not [a-z0-9][a-z0-9_]{0,63}");
  const std::string who = "component \"" + std::string(view(c->name)) + "\"";
  if (!is_text(c->interface_id, kMostText) || c->interface_id.size == 0) return fail(who + " does not say what it is");
  if (!is_text(c->summary, 4096)) return fail("the summary of " + who + " is not UTF-8 text of at most 4096 bytes");
  if (!is_text(c->settings_schema, kMostSchema)) return fail("the settings schema of " + who + " is not UTF-8 text of at most 1 MiB");
  const auto schema = view(c->settings_schema);
  if (!schema.empty() && (!is_json(schema) || schema.find('{') == schema.npos)) return fail("the settings schema of " + who + " is not a JSON object");
  if (!c->table) return fail(who + " has no table");
  return {};
}

Result<void> check(const agentd_plugin* d) {
  if (!d) return fail("its entry function answered that it cannot be used on this machine");
  if (d->size < sizeof(agentd_plugin)) return fail("its descriptor is smaller than this ABI's");
  if (!is_sound(d->name) || !is_name(view(d->name))) return fail("its name is not [a-z0-9][a-z0-9_]{0,63}");
  if (!is_text(d->version, kMostText) || d->version.size == 0) return fail("its version is not UTF-8 text of 1 to 256 bytes");
  if (!is_text(d->license, kMostText)) return fail("its license is not UTF-8 text of at most 256 bytes");
  if (d->component_count == 0 || d->component_count > kMostComponents || !d->components) return fail("it provides no component, or more than 256");
  if (d->requires_count > kMostServices || (d->requires_count > 0 && !d->requires_services)) return fail("its list of required services is malformed");
  for (std::uint64_t i = 0; i < d->requires_count; ++i)
    if (!is_text(d->requires_services[i], kMostText)) return fail("its list of required services is malformed");
  for (std::uint32_t i = 0; i < d->component_count; ++i)
    if (auto fine = check_component(d->components[i]); !fine) return fine;
  return {};
}

}  // namespace

const char* name(Kind kind) { return kKindNames[static_cast<std::size_t>(kind)]; }

Component::Component(const agentd_component& from, std::size_t max_concurrent)
    : interface_id(view(from.interface_id)),
      kind(kind_of(interface_id)),
      name(view(from.name)),
      summary(view(from.summary)),
      settings_schema(view(from.settings_schema)),
      concurrent(from.flags & AGENTD_CONCURRENT),
      dynamic(from.flags & AGENTD_DYNAMIC),
      vectors(from.flags & AGENTD_VECTORS),
      table(from.table),
      admission(max_concurrent) {}

Result<std::unique_ptr<Library>> Library::describe(const agentd_plugin* d, std::filesystem::path file) {
  if (auto fine = check(d); !fine) return std::unexpected(fine.error());
  auto library = std::make_unique<Library>();
  library->file = std::move(file);
  library->name = view(d->name);
  library->version = view(d->version);
  library->license = view(d->license);
  for (std::uint64_t i = 0; i < d->requires_count; ++i) library->requires_services.emplace_back(view(d->requires_services[i]));
  for (std::uint32_t i = 0; i < d->component_count; ++i) {
    const auto& c = *d->components[i];
    auto component = std::make_unique<Component>(c, kMaxConcurrent);
    if (library->component(component->kind, component->name)) return fail("it provides the " + std::string(plugin::name(component->kind)) + " \"" + component->name + "\" twice");
    library->components.push_back(std::move(component));
  }
  return library;
}

Component* Library::component(Kind kind, std::string_view wanted) const {
  for (const auto& c : components)
    if (c->kind == kind && c->name == wanted) return c.get();
  return nullptr;
}

void Library::disable(std::string reason) {
  const Lock lock(mutex_);
  if (!reason_.empty()) return;
  reason_ = std::move(reason);
  is_disabled_.store(true, std::memory_order_release);
}

std::optional<std::string> Library::disabled() const {
  const Lock lock(mutex_);
  if (reason_.empty()) return std::nullopt;
  return reason_;
}

}  // namespace agentd::plugin
