#include "core/plugin/published_tools.hpp"

#include <algorithm>
#include <unordered_set>

#include "core/base/json_text.hpp"
#include "core/plugin/abi_text.hpp"

namespace agentd::plugin {
namespace {

constexpr std::uint64_t kLongestSummary = 64 << 10, kLargestSchema = 1 << 20;

// What every provider takes as the name of a function.
bool is_tool_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 &&
         std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; });
}

Result<void> check_schema(std::string_view schema) {
  if (schema.size() > kLargestSchema) return fail("a schema of more than 1 MiB");
  if (!is_json(schema)) return fail("a schema that is not JSON");
  const auto parsed = nlohmann::json::parse(schema, nullptr, false);
  if (!parsed.is_object() || parsed.value("type", nlohmann::json()) != "object") return fail("a schema that does not say \"type\": \"object\"");
  return {};
}

Result<port::ToolSpec> read_tool(const agentd_tool* t) {
  if (!t || t->size < sizeof(agentd_tool) || !is_sound(t->name) || !is_sound(t->summary) || !is_sound(t->schema)) return fail("a malformed tool");
  if (!is_tool_name(view(t->name))) return fail("a tool whose name is not [A-Za-z0-9_-]{1,64}");
  const auto wrong = [name = std::string(view(t->name))](const std::string& what) { return fail("tool \"" + name + "\" with " + what); };
  if (t->effect < AGENTD_EFFECT_PURE || t->effect > AGENTD_EFFECT_ONCE) return wrong("an effect that does not exist: " + std::to_string(t->effect));
  const bool reconciles = (t->flags & AGENTD_TOOL_RECONCILES) != 0;
  if (reconciles && t->effect != AGENTD_EFFECT_ONCE) return wrong("a reconcile, but it is not once: a pure or idempotent call is simply made again");
  if (t->summary.size > kLongestSummary || to_utf8(view(t->summary)) != view(t->summary)) return wrong("a summary that is not UTF-8 text of at most 64 KiB");
  if (auto fine = check_schema(view(t->schema)); !fine) return wrong(fine.error().message);
  return port::ToolSpec{std::string(view(t->name)), std::string(view(t->summary)), std::string(view(t->schema)), static_cast<port::Effect>(t->effect),
                        reconciles};
}

}  // namespace

const void* PublishedTools::service(std::string_view id) const {
  static constexpr agentd_host_tools_v1 kTools{publish};
  return id == AGENTD_HOST_TOOLS_1 ? &kTools : nullptr;
}

Result<port::ToolList> PublishedTools::read(const agentd_tool* const* tools, std::uint64_t count, const port::Cleaner* cleaner) {
  if (count > kMost) return fail("more than " + std::to_string(kMost) + " tools");
  if (count > 0 && !tools) return fail("a list that is NULL");
  auto list = std::make_shared<std::vector<port::ToolSpec>>();
  std::unordered_set<std::string> names;
  for (std::uint64_t i = 0; i < count; ++i) {
    auto tool = read_tool(tools[i]);
    if (!tool) return std::unexpected(tool.error());
    if (cleaner) {
      cleaner->clean(tool->summary);
      cleaner->clean_json(tool->schema);
    }
    if (!names.insert(tool->name).second) return fail("tool \"" + tool->name + "\" twice");
    list->push_back(std::move(*tool));
  }
  return list;
}

std::int32_t PublishedTools::publish(agentd_host* host, const agentd_tool* const* tools, std::uint64_t count) noexcept {
  auto& instance = Instance::of(host);
  auto* const self = dynamic_cast<PublishedTools*>(instance.extension());
  if (!self) return AGENTD_DENIED;
  auto list = read(tools, count, instance.services().cleaner);
  const Lock lock(self->mutex_);
  if (list) {
    self->list_ = std::move(*list);
    self->complaint_.reset();
    return AGENTD_OK;
  }
  self->complaint_ = instance.who() + " published " + list.error().message;
  instance.log(LogLevel::error, *self->complaint_);
  return AGENTD_DENIED;
}

port::ToolList PublishedTools::list() const {
  const Lock lock(mutex_);
  return list_;
}

std::optional<std::string> PublishedTools::complaint() const {
  const Lock lock(mutex_);
  return complaint_;
}

}  // namespace agentd::plugin
