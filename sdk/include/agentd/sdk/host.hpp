// The host as one instance sees it, and the duty to answer an operation.
// Services beside the log have a header each: http.hpp, io.hpp, kv.hpp, metrics.hpp, timer.hpp, work.hpp. The rest are there through need<T>().
#pragma once
#include <agentd/abi/host.h>
#include <agentd/sdk/error.hpp>
#include <agentd/sdk/utf8.hpp>

#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace agentd::sdk {

inline agentd_str str(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view view(agentd_str text) {
  return text.size == 0 ? std::string_view() : std::string_view(text.data, static_cast<std::size_t>(text.size));
}

// The id of a service's table.
template <class Table>
struct ServiceId;
#define AGENTD_SDK_SERVICE(Table, id)           \
  template <>                                   \
  struct ServiceId<Table> {                     \
    static constexpr const char* value = id;    \
  };
AGENTD_SDK_SERVICE(agentd_host_ops_v1, AGENTD_HOST_OPS_1)
AGENTD_SDK_SERVICE(agentd_host_work_v1, AGENTD_HOST_WORK_1)
AGENTD_SDK_SERVICE(agentd_host_log_v1, AGENTD_HOST_LOG_1)
AGENTD_SDK_SERVICE(agentd_host_timer_v1, AGENTD_HOST_TIMER_1)
AGENTD_SDK_SERVICE(agentd_host_metrics_v1, AGENTD_HOST_METRICS_1)
AGENTD_SDK_SERVICE(agentd_host_http_v1, AGENTD_HOST_HTTP_1)
AGENTD_SDK_SERVICE(agentd_host_io_v1, AGENTD_HOST_IO_1)
AGENTD_SDK_SERVICE(agentd_host_process_v1, AGENTD_HOST_PROCESS_1)
AGENTD_SDK_SERVICE(agentd_host_kv_v1, AGENTD_HOST_KV_1)
AGENTD_SDK_SERVICE(agentd_host_model_v1, AGENTD_HOST_MODEL_1)
AGENTD_SDK_SERVICE(agentd_host_ask_v1, AGENTD_HOST_ASK_1)

enum class Level : int32_t { debug = AGENTD_LOG_DEBUG, info = AGENTD_LOG_INFO, warn = AGENTD_LOG_WARN, error = AGENTD_LOG_ERROR };

// A value: copy it freely. Valid from the constructor of the instance's object until the end of its destructor, on any thread.
class Host {
 public:
  explicit Host(agentd_host* raw)
      : raw_(raw), ops_(find<agentd_host_ops_v1>()), work_(find<agentd_host_work_v1>()), log_(find<agentd_host_log_v1>()) {}

  void log(Level level, std::string_view text) const {
    if (log_) log_->write(raw_, static_cast<int32_t>(level), str(text));
  }
  void log(std::string_view text) const { log(Level::info, text); }

  // A service's C table: nullptr, or an Error that names it, when this host does not have it.
  template <class Table>
  const Table* find() const {
    return static_cast<const Table*>(raw_->service(raw_, ServiceId<Table>::value));
  }
  template <class Table>
  const Table& need() const {
    if (const auto* table = find<Table>()) return *table;
    throw Error(std::string("this host has no ") + ServiceId<Table>::value);
  }

  agentd_host* raw() const { return raw_; }
  const agentd_host_ops_v1* ops() const { return ops_; }
  const agentd_host_work_v1* work() const { return work_; }

 private:
  agentd_host* raw_;
  const agentd_host_ops_v1* ops_;
  const agentd_host_work_v1* work_;
  const agentd_host_log_v1* log_;
};

// Calls f(status, message, retry_after_ms) for the exception in hand.
template <class F>
void describe_current_exception(F&& f) noexcept {
  try {
    throw;
  } catch (const Error& e) {
    f(static_cast<int32_t>(e.failure), e.what(), e.retry_after_ms);
  } catch (const std::exception& e) {
    f(AGENTD_TERMINAL, e.what(), int64_t{-1});
  } catch (...) {
    f(AGENTD_TERMINAL, "the plugin threw something that is not a std::exception", int64_t{-1});
  }
}

// The duty to end one operation, exactly once: an Answer that is dropped ends it with an unknown outcome.
class Answer {
 public:
  Answer(Host host, agentd_op op) : host_(host), op_(op) {}
  Answer(Answer&& other) noexcept : host_(other.host_), op_(std::exchange(other.op_, 0)) {}
  Answer& operator=(Answer&&) = delete;
  ~Answer() { finish(AGENTD_UNKNOWN_OUTCOME, "the plugin dropped the operation without an answer"); }

  void json(std::string_view text) noexcept { finish(AGENTD_OK, text); }
  void fail(const Error& e) noexcept { fail(static_cast<int32_t>(e.failure), e.what(), e.retry_after_ms); }
  void fail(int32_t status, const char* message, int64_t retry_after_ms = -1) noexcept {
    try {
      finish(status, valid_utf8(message), retry_after_ms);
    } catch (...) {
      finish(status, "out of memory", retry_after_ms);
    }
  }
  void fail_with_current_exception() noexcept {
    describe_current_exception([this](int32_t status, const char* message, int64_t after) { fail(status, message, after); });
  }
  // Ends a create; false when the host has given up on it, and the instance is still the plugin's.
  bool created(void* self) noexcept {
    return host_.ops() && op_ && host_.ops()->created(host_.raw(), std::exchange(op_, 0), self) == AGENTD_OK;
  }
  void take_over(Answer& other) noexcept { op_ = other.release(); }
  // Gives the duty away, to be kept through the C tables.
  agentd_op release() noexcept { return std::exchange(op_, 0); }

  // False once it has ended here. The host may have ended it too: see cancelled().
  explicit operator bool() const { return op_ != 0; }
  bool cancelled() const { return op_ == 0 || host_.ops()->cancelled(host_.raw(), op_) != 0; }
  int64_t remaining_ms() const { return op_ == 0 ? 0 : host_.ops()->remaining_ms(host_.raw(), op_); }
  bool progress(std::string_view text) const { return op_ != 0 && host_.ops()->progress(host_.raw(), op_, str(text)) == AGENTD_OK; }
  agentd_op op() const { return op_; }
  const Host& host() const { return host_; }

 private:
  void finish(int32_t status, std::string_view value, int64_t retry_after_ms = -1) noexcept {
    if (op_ == 0 || !host_.ops()) return;
    const agentd_result result{sizeof result, status, str(value), retry_after_ms};
    host_.ops()->finish(host_.raw(), std::exchange(op_, 0), &result);
  }
  Host host_;
  agentd_op op_;
};

}  // namespace agentd::sdk
