// What the author of a native task includes: what an agent does without a model, or what decides whether a slot is worth a run.
//
//   struct DiskReport : Task {
//     struct Params { double warn_ratio = 0.9; AGENTD_FIELDS(warn_ratio) };
//     Outcome run(const Params& params, Run& run) { ... return Outcome::result(report).state(seen); }
//   };
//   AGENTD_PLUGIN("disk_report", "1.0.0", provides<DiskReport>("disk_report", "Free space of every mounted disk"))
//
// `run` may leave Params out and read run.params() itself, and takes Run& or const Run&. It runs on a worker, one at a time per instance;
// `static constexpr bool concurrent = true;` lets several run at once.
#pragma once
#include <agentd/abi/task.h>
#include <agentd/sdk/plugin.hpp>
#include <agentd/sdk/signature.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace agentd::sdk {

// What a task answers.
class Outcome {
 public:
  // Ends the run with this result.
  template <class T>
  static Outcome result(const T& value) {
    Outcome outcome;
    detail::write_result(outcome.result_, value);
    return outcome;
  }
  // Answers of a gate: the slot is worth a run, or it is not.
  static Outcome proceed() { return Outcome("true"); }
  static Outcome stop() { return Outcome("false"); }
  static Outcome stop(std::string_view reason) {  // one sentence for people
    Outcome outcome("false");
    write_string(outcome.result_, reason);
    return outcome;
  }

  // With proceed(): given to the run beside the manifest's params. One JSON object.
  template <class T>
  Outcome&& params(const T& value) && {
    params_ = to_json(value);
    return std::move(*this);
  }
  // Given back as run.state() the next time, if this run succeeds.
  template <class T>
  Outcome&& state(const T& value) && {
    state_ = to_json(value);
    return std::move(*this);
  }

  std::string json() const {
    std::string out = "{";
    const auto member = [&out](const char* name, const std::string& value) {
      if (!value.empty()) detail::comma(out), write_string(out, name), out += ":" + value;
    };
    member("result", result_), member("proceed", proceed_), member("params", params_), member("state", state_);
    return out + "}";
  }

 private:
  Outcome() = default;
  explicit Outcome(const char* proceed) : proceed_(proceed) {}
  std::string result_, proceed_, params_, state_;
};

// The run in hand; everything a Call knows, and what the run was given.
class Run {
 public:
  Json params() const { return Json(params_); }  // an object: the manifest's params, merged with those of the run
  Json state() const { return Json(state_); }    // what the last successful run left; null at first
  // The state as a type of yours; nothing at first. An Error when it was left by another version that wrote it differently.
  template <class T>
  std::optional<T> state_as() const {
    return detail::reading("state", [&] { return Type<std::optional<T>>::read(state()); });
  }

  Call& call() const { return *call_; }
  const std::string& id() const { return call_->id(); }  // the same when the task is run again for the same attempt
  const std::string& agent_id() const { return call_->agent_id(); }
  const std::string& run_id() const { return call_->run_id(); }
  Call::Clock::time_point deadline() const { return call_->deadline(); }
  bool cancelled() const { return call_->cancelled(); }
  bool progress(std::string_view text) const { return call_->progress(text); }
  void log(std::string_view text) const { call_->log(text); }
  void log(Level level, std::string_view text) const { call_->log(level, text); }
  const Host& host() const { return call_->host(); }

  Run(Call& call, std::string_view params, std::string_view state) : call_(&call), params_(params), state_(state) {}

 private:
  Call* call_;
  std::string_view params_, state_;
};

class Task {
 public:
  using Config = sdk::Config;  // declare a struct of that name to have typed settings
  Task() = default;
  Task(const Task&) = delete;
  virtual ~Task() = default;
};

namespace detail {

template <class T, class C, class R>
Outcome run_task(T& task, Outcome (C::*body)(R), Run& run) {
  return (task.*body)(run);
}
template <class T, class C, class R>
Outcome run_task(T& task, Outcome (C::*body)(R) const, Run& run) {
  return (task.*body)(run);
}
// The names of params, without those of what a trigger brought: the host adds it, wanted or not.
inline std::string own_names(Json params) {
  std::string names = "{";
  params.members([&](std::string_view key, Json) {
    if (key == "trigger" || key.substr(0, 8) == "trigger_") return;
    comma(names), write_string(names, key), names += ":null";
  });
  return names + "}";
}
template <class P>
std::decay_t<P> read_params(Json params) {
  return reading("params", [&] {
    const std::string names = own_names(params);
    refuse_unknown_fields<std::decay_t<P>>(Json(names));
    return Type<std::decay_t<P>>::read(params);
  });
}
template <class T, class C, class P, class R>
Outcome run_task(T& task, Outcome (C::*body)(P, R), Run& run) {
  return (task.*body)(read_params<P>(run.params()), run);
}
template <class T, class C, class P, class R>
Outcome run_task(T& task, Outcome (C::*body)(P, R) const, Run& run) {
  return (task.*body)(read_params<P>(run.params()), run);
}

template <class T>
struct TaskSlots : Slots<Instance<T>> {
  static void start(void* self, const agentd_task_run* record) noexcept {
    auto& instance = TaskSlots::of(self);
    with_call(instance.host, *record, instance.cancels, [&](Call& call) {
      start_on_worker(std::move(call), [&instance, params = copy(record->params, "{}"), state = copy(record->state, "null")](Call& c) {
        Run run(c, params, state);
        const std::string outcome = run_task(*instance.object, &T::run, run).json();
        CallAccess::ending(c).json(outcome);
      });
    });
  }
  static const agentd_task_v1* table() {
    static const agentd_task_v1 all{&TaskSlots::create, &TaskSlots::destroy, &start, &TaskSlots::cancel};
    return &all;
  }

 private:
  static std::string copy(agentd_str text, const char* if_empty) { return text.size == 0 ? std::string(if_empty) : std::string(view(text)); }
};

template <class T>
struct Kind<T, std::enable_if_t<std::is_base_of_v<Task, T>>> {
  static constexpr const char* interface_id = AGENTD_TASK_1;
  static const void* table() { return TaskSlots<T>::table(); }
  static std::vector<std::string> services() { return {AGENTD_HOST_OPS_1, AGENTD_HOST_WORK_1}; }
};

}  // namespace detail
}  // namespace agentd::sdk
