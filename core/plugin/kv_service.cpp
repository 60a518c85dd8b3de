#include <agentd/abi/host.h>

#include "core/plugin/abi_text.hpp"
#include "core/plugin/host_services.hpp"
#include "core/plugin/kv_files.hpp"

namespace agentd::plugin {
namespace {

class KvService final : public HostService {
 public:
  using Receive = void (*)(void* context, agentd_str value);
  static constexpr Part kPart = Part::kv;
  KvService(Instance& instance, std::filesystem::path folder) : instance_(instance), files_(std::move(folder)) {}
  std::string_view id() const override { return AGENTD_HOST_KV_1; }
  const void* table() const override {
    static constexpr agentd_host_kv_v1 kTable{
        [](agentd_host* h, agentd_str key, Receive receive, void* context) noexcept { return of(h).get(key, receive, context); },
        [](agentd_host* h, agentd_str key, agentd_str value) noexcept { return of(h).put(key, value); },
        [](agentd_host* h, agentd_str key) noexcept { return of(h).erase(key); }};
    return &kTable;
  }

 private:
  static KvService& of(agentd_host* host) { return Instance::of(host).part<KvService>(); }

  std::int32_t get(agentd_str key, Receive receive, void* context) {
    if (!is_sound(key) || !receive) return AGENTD_DENIED;
    const auto value = files_.get(view(key));
    if (!value) return refused(value.error());
    if (*value) instance_.guard("the receiver of a value", [&] { receive(context, str(**value)); });
    return AGENTD_OK;
  }
  std::int32_t put(agentd_str key, agentd_str value) {
    if (!is_sound(key) || !is_sound(value)) return AGENTD_DENIED;
    const auto done = files_.put(view(key), view(value));
    return done ? AGENTD_OK : refused(done.error());
  }
  std::int32_t erase(agentd_str key) {
    if (!is_sound(key)) return AGENTD_DENIED;
    const auto done = files_.erase(view(key));
    return done ? AGENTD_OK : refused(done.error());
  }
  std::int32_t refused(const Error& why) {
    instance_.log(LogLevel::error, "kv: " + why.message);
    return AGENTD_TERMINAL;
  }

  Instance& instance_;
  KvFiles files_;
};

// The configuration's names of instances hold letters, digits, '_', '-' and '.'; whatever else one held, it names a folder of its own.
std::string folder_name(const std::string& instance) {
  std::string name;
  for (const char c : instance) name += c == '/' || c == '\0' ? '%' : c;
  return name.starts_with('.') ? "%" + name : name;
}

}  // namespace

std::unique_ptr<HostService> make_kv_service(Instance& instance) {
  const auto& folder = instance.services().kv_folder;
  if (folder.empty()) return nullptr;
  return std::make_unique<KvService>(instance, folder / instance.component().name / folder_name(instance.name()));
}

}  // namespace agentd::plugin
