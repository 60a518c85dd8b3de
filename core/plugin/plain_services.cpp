#include <agentd/abi/host.h>

#include "core/base/json_text.hpp"
#include "core/plugin/abi_text.hpp"
#include "core/plugin/host_services.hpp"

namespace agentd::plugin {
namespace {

constexpr std::uint64_t kLargestAnswer = 64ULL << 20, kLongestMessage = 64 << 10, kLongestLine = 16 << 10;

Ended broken(const Instance& instance, std::string_view what) { return failed(AGENTD_TERMINAL, instance.who() + " " + std::string(what)); }

}  // namespace

Ended read_result(const Instance& instance, const agentd_result* result) {
  if (!result || result->size < sizeof(agentd_result) || !is_sound(result->value)) return broken(instance, "finished with a malformed result");
  if (result->value.size > kLargestAnswer) return broken(instance, "answered with more than 64 MiB");
  const auto value = view(result->value);
  if (result->status == AGENTD_OK) {
    if (value.empty()) return {.value = "null"};
    if (!is_json(value)) return broken(instance, "answered with something that is not one JSON value in UTF-8");
    return {.value = std::string(value)};
  }
  if (result->status < AGENTD_OK || result->status > AGENTD_CANCELLED)
    return broken(instance, "finished with a status that does not exist: " + std::to_string(result->status));
  return {result->status, to_utf8(value.substr(0, kLongestMessage)), result->status == AGENTD_RETRYABLE ? result->retry_after_ms : -1};
}

namespace {

std::int32_t created(agentd_host* host, agentd_op op, void* self) noexcept {
  auto& instance = Instance::of(host);
  return instance.end(op, {.created = true, .self = self}) ? AGENTD_OK : AGENTD_STALE;
}

std::int32_t finish(agentd_host* host, agentd_op op, const agentd_result* result) noexcept {
  auto& instance = Instance::of(host);
  return instance.end(op, read_result(instance, result)) ? AGENTD_OK : AGENTD_STALE;
}

std::int32_t progress(agentd_host* host, agentd_op op, agentd_str text) noexcept {
  auto& instance = Instance::of(host);
  if (instance.ops().cancelled(instance, op)) return 1;
  if (is_sound(text)) instance.log(LogLevel::debug, to_utf8(view(text).substr(0, kLongestLine)));
  return 0;
}

std::int32_t cancelled(agentd_host* host, agentd_op op) noexcept {
  auto& instance = Instance::of(host);
  return instance.ops().cancelled(instance, op) ? 1 : 0;
}

std::int64_t remaining_ms(agentd_host* host, agentd_op op) noexcept {
  auto& instance = Instance::of(host);
  return instance.ops().remaining_ms(instance, op);
}

std::int32_t submit(agentd_host* host, agentd_op op, agentd_job_fn run, void* context) noexcept { return Instance::of(host).submit(op, run, context); }

void write(agentd_host* host, std::int32_t level, agentd_str text) noexcept {
  if (!is_sound(text)) return;
  const auto known = level < AGENTD_LOG_DEBUG || level > AGENTD_LOG_ERROR ? LogLevel::error : static_cast<LogLevel>(level);
  Instance::of(host).log(known, to_utf8(view(text).substr(0, kLongestLine)));
}

constexpr agentd_host_ops_v1 kOps{created, finish, progress, cancelled, remaining_ms};
constexpr agentd_host_work_v1 kWork{submit};
constexpr agentd_host_log_v1 kLog{write};

}  // namespace

const void* plain_service(std::string_view id) {
  if (id == AGENTD_HOST_OPS_1) return &kOps;
  if (id == AGENTD_HOST_WORK_1) return &kWork;
  if (id == AGENTD_HOST_LOG_1) return &kLog;
  return nullptr;
}

HostServices make_host_services(Instance& instance) {
  return {make_timer_service(instance), make_http_service(instance), make_io_service(instance), make_kv_service(instance), make_metrics_service(instance)};
}

}  // namespace agentd::plugin
