// A small durable store of the instance's own, kept by the host. Workers only: every function may block on the disk.
#pragma once
#include <agentd/sdk/host.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace agentd::sdk {

class Kv {
 public:
  explicit Kv(const Host& host) : host_(host.raw()), service_(&host.need<agentd_host_kv_v1>()) {}

  std::optional<std::string> get(std::string_view key) const {
    std::optional<std::string> value;
    const auto receive = [](void* context, agentd_str text) {
      try {
        *static_cast<std::optional<std::string>*>(context) = std::string(view(text));
      } catch (...) {  // out of memory: as if there were none
      }
    };
    check(service_->get(host_, str(key), receive, &value), "read");
    return value;
  }
  // Durable when it returns. At most 1 MiB.
  void put(std::string_view key, std::string_view value) const { check(service_->put(host_, str(key), str(value)), "written"); }
  void erase(std::string_view key) const { check(service_->erase(host_, str(key)), "erased"); }

 private:
  static void check(int32_t status, const char* what) {
    if (status == AGENTD_OK) return;
    const bool again = status == AGENTD_RETRYABLE || status == AGENTD_BUSY;
    throw Error(std::string("a value of this instance could not be ") + what, again ? Failure::retryable : Failure::terminal);
  }
  agentd_host* host_;
  const agentd_host_kv_v1* service_;
};

}  // namespace agentd::sdk
