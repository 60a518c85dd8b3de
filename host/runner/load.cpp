#include "host/runner/load.hpp"

#include <deque>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/plugin/abi_text.hpp"
#include "core/plugin/load.hpp"
#include "host/runner/inspect.hpp"

namespace agentd::runner {
namespace {

// What the runner printed, as the descriptor that it copied: it is judged here once more, for the plugin's code ran in that
// process.
class Described {
 public:
  explicit Described(const nlohmann::json& json) {
    for (const auto& component : json.value("components", nlohmann::json::array())) add(component);
    for (const auto& each : components_) pointers_.push_back(&each);
    for (const auto& service : json.value("requires", nlohmann::json::array())) services_.push_back(text(service));
    plugin_ = {sizeof(agentd_plugin),   static_cast<std::uint32_t>(pointers_.size()),
               member(json, "name"),    member(json, "version"),
               member(json, "license"), pointers_.data(),
               services_.data(),        services_.size()};
  }
  const agentd_plugin& plugin() const { return plugin_; }

 private:
  agentd_str text(const nlohmann::json& value) {
    return plugin::str(texts_.emplace_back(value.is_string() ? value.get<std::string>() : value.is_object() ? value.dump() : ""));
  }
  agentd_str member(const nlohmann::json& object, const char* name) { return text(object.value(name, nlohmann::json())); }
  void add(const nlohmann::json& c) {
    const auto flag = [&c](const char* name, std::uint32_t bit) { return c.value(name, false) ? bit : 0U; };
    components_.push_back({sizeof(agentd_component), flag("concurrent", AGENTD_CONCURRENT) | flag("dynamic", AGENTD_DYNAMIC) | flag("vectors", AGENTD_VECTORS),
                           member(c, "interface"), member(c, "name"), member(c, "summary"), member(c, "settings_schema"),
                           &kNoTable});
  }

  static constexpr char kNoTable = 0;  // nobody calls it
  std::deque<std::string> texts_;
  std::deque<agentd_component> components_;
  std::vector<const agentd_component*> pointers_;
  std::vector<agentd_str> services_;
  agentd_plugin plugin_{};
};

}  // namespace

Result<std::unique_ptr<plugin::Library>> load_in_runner(const std::filesystem::path& self_exe, const std::filesystem::path& file,
                                                        const std::string& sha256) {
  if (auto fine = plugin::check_file(file, sha256); !fine) return std::unexpected(fine.error());
  const auto printed = descriptor_in_runner(self_exe, file);
  if (!printed) return std::unexpected(printed.error());
  try {
    const Described described(nlohmann::json::parse(*printed));
    auto library = plugin::Library::describe(&described.plugin(), file);
    if (!library) return fail(file.string() + ": " + library.error().message);
    return library;
  } catch (const nlohmann::json::exception& error) {
    return fail(file.string() + ": what it says of itself cannot be read: " + error.what());
  }
}

}  // namespace agentd::runner
