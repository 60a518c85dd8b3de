// What the author of a toolset includes. A whole plugin:
//
//   struct Geometry : Toolset {
//     explicit Geometry(const Config&) {
//       add("calculate_area", "Area of a rectangle", {"length", "width"}, Effect::pure,
//           [](double length, double width) { return length * width; });
//     }
//   };
//   AGENTD_PLUGIN("geometry", "1.0.0", provides<Geometry>("geometry"))
//
// Bodies run on a worker, one at a time per instance; `static constexpr bool concurrent = true;` in the class lets several run at once.
#pragma once
#include <agentd/abi/toolset.h>
#include <agentd/sdk/plugin.hpp>
#include <agentd/sdk/scope.hpp>
#include <agentd/sdk/tool.hpp>

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace agentd::sdk {

AGENTD_SDK_SERVICE(agentd_host_tools_v1, AGENTD_HOST_TOOLS_1)

namespace detail {
struct ToolsetAccess;
}

class Toolset {
 public:
  using Config = sdk::Config;  // declare a struct of that name to have typed settings
  Toolset() = default;
  Toolset(const Toolset&) = delete;
  virtual ~Toolset() = default;

 protected:
  // add("name", "summary for the model", {"a", {"b", "its meaning"}, {"c", "its meaning", its_default, between(1, 10)}}, effect, body):
  // the body's parameters are filled in that order and make the schema. Leading parameters that are not named: Call& or Reply<T>,
  // const Scope&.
  template <class F>
  auto add(const char* name, const char* summary, typename detail::ParamsFor<F>::type params, Effect effect, F body) {
    return put(name, summary, std::move(params.all), effect, std::move(body));
  }
  template <class F, class B = detail::CheckedBody<F>, class = std::enable_if_t<B::ok>>
  auto add(const char* name, const char* summary, Effect effect, F body) {
    static_assert(B::Rest::size == 0, "agentd: give one name for each parameter of the body, no more and no fewer");
    return put(name, summary, {}, effect, std::move(body));
  }
  // A tool that is described at run time: `schema` is JSON Schema of an object, and the body's one named parameter, of type Raw or Json,
  // gets the whole object of arguments.
  template <class F>
  auto add(ToolDescription description, F body) {
    using B = detail::CheckedBody<F>;
    if constexpr (B::ok) {
      static_assert(B::Rest::size == 1, "agentd: the body of a described tool takes one parameter, Raw or Json: all its arguments");
      return keep<0, F>(std::make_shared<detail::Tool>(std::move(description), std::vector<detail::Param>(),
                                                       std::make_shared<detail::WholeBody<F>>(std::move(body)), detail::scope_tag<F>()));
    }
  }
  // Names that do not fit their body: for the sentence alone.
  template <std::size_t N, class F, class B = detail::CheckedBody<F>, class = std::enable_if_t<!B::ok || B::Rest::size != N>>
  detail::Added<N, void> add(const char*, const char*, const detail::AnyParam (&)[N], Effect, F) {
    static_assert(!B::ok, "agentd: give one name for each parameter of the body, no more and no fewer");
    return detail::Added<N, void>(nullptr);
  }
  void remove(std::string_view name);

  // Tells the host the whole list again, after it has changed; the constructor need not.
  void publish();

 private:
  friend struct detail::ToolsetAccess;

  template <class F>
  auto put(const char* name, const char* summary, std::vector<detail::Param> params, Effect effect, F body) {
    using Rest = typename detail::CheckedBody<F>::Rest;
    detail::check_param_names(name, params);
    detail::reading("tool \"" + std::string(name) + "\"", [&] { detail::check_params(Rest(), params.data()); });
    ToolDescription description{name, summary, detail::arguments_schema(Rest(), params.data()), effect};
    auto typed = std::make_shared<detail::TypedBody<F>>(std::move(body), params);
    return keep<Rest::size, F>(std::make_shared<detail::Tool>(std::move(description), std::move(params), std::move(typed), detail::scope_tag<F>()));
  }
  template <std::size_t N, class F>
  detail::Added<N, detail::Answered<F>> keep(std::shared_ptr<detail::Tool> tool) {
    detail::check_tool_name(tool->description.name);
    const std::lock_guard lock(mutex_);
    if (by_name_.count(tool->description.name)) throw Error("two tools are named \"" + tool->description.name + "\"");
    tools_.push_back(tool);
    by_name_.emplace(tools_.back()->description.name, tools_.back());
    return detail::Added<N, detail::Answered<F>>(tool.get());
  }

  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<detail::Tool>> tools_;  // shared: a call may still run when its tool is removed
  std::unordered_map<std::string, std::shared_ptr<detail::Tool>> by_name_;
  agentd_host* host_ = nullptr;
};

inline void Toolset::remove(std::string_view name) {
  const std::lock_guard lock(mutex_);
  by_name_.erase(std::string(name));
  tools_.erase(std::remove_if(tools_.begin(), tools_.end(), [&](const auto& tool) { return tool->description.name == name; }), tools_.end());
}

inline void Toolset::publish() {
  if (!host_) return;
  const std::lock_guard lock(mutex_);
  std::vector<agentd_tool> records;
  std::vector<const agentd_tool*> pointers;
  for (const auto& tool : tools_) records.push_back(tool->record());
  for (const auto& record : records) pointers.push_back(&record);
  const int32_t taken = Host(host_).need<agentd_host_tools_v1>().publish(host_, pointers.data(), pointers.size());
  if (taken != AGENTD_OK) throw Error("the host refused the list of tools");
}

namespace detail {

struct ToolsetAccess {
  static void attach(Toolset& toolset, const Host& host) {
    toolset.host_ = host.raw();
    toolset.publish();
  }
  static std::shared_ptr<Tool> find(const Toolset& toolset, std::string_view name) {
    const std::lock_guard lock(toolset.mutex_);
    const auto found = toolset.by_name_.find(std::string(name));
    return found == toolset.by_name_.end() ? nullptr : found->second;
  }
  // A body may take only the scope that bind makes.
  static void check_scopes(const Toolset& toolset, const void* made) {
    for (const auto& tool : toolset.tools_) {
      if (tool->scope && tool->scope != made) {
        throw Error("tool \"" + tool->description.name + "\" takes a scope that this toolset's bind does not make");
      }
    }
  }
};

template <class T>
struct ToolsetInstance : Instance<T> {
  ToolsetInstance(const Host& its_host, std::string_view settings) : Instance<T>(its_host, settings) {
    const void* made = nullptr;
    if constexpr (Binder<T>::exists) {
      made = type_tag<typename Binder<T>::Bound>();
      reading("scope", [&] { scopes.set_own(Binder<T>::bind(*this->object, Json("{}"))); });
    }
    ToolsetAccess::check_scopes(*this->object, made);
    ToolsetAccess::attach(*this->object, this->host);
  }
  Scopes scopes;
};

template <class T>
struct ToolsetSlots : Slots<ToolsetInstance<T>> {
  using Slots<ToolsetInstance<T>>::of;

  static void start(void* self, const agentd_call* record) noexcept { run(self, *record, false); }
  static void reconcile(void* self, const agentd_call* record) noexcept { run(self, *record, true); }

  static void bind(void* self, agentd_op op, agentd_str settings) noexcept {
    auto& instance = of(self);
    Call call = CallAccess::make(instance.host, op, instance.cancels);
    guard(call, [&] {
      start_on_worker(std::move(call), [&instance, text = std::string(view(settings))](Call& c) {
        const Json narrow(text.empty() ? std::string_view("{}") : std::string_view(text));
        const std::string canonical = Binder<T>::canonical(narrow);
        uint64_t number = instance.scopes.number_of(canonical);
        if (number == 0) number = instance.scopes.put(canonical, Binder<T>::bind(*instance.object, narrow));
        CallAccess::ending(c).json(std::to_string(number));
      });
    });
  }

  static const agentd_toolset_v1* table() {
    static const agentd_toolset_v1 all{&ToolsetSlots::create, &ToolsetSlots::destroy, bind_slot(), &start, &reconcile, &ToolsetSlots::cancel};
    return &all;
  }

 private:
  using BindSlot = void (*)(void*, agentd_op, agentd_str);
  static BindSlot bind_slot() {
    if constexpr (Binder<T>::exists) {
      return &bind;
    } else {
      return nullptr;
    }
  }
  static void run(void* self, const agentd_call& record, bool reconciling) noexcept {
    auto& instance = of(self);
    with_call(instance.host, record, instance.cancels, [&](Call& call) { dispatch(instance, call, record, reconciling); });
  }
  static void dispatch(ToolsetInstance<T>& instance, Call& call, const agentd_call& record, bool reconciling) {
    auto tool = ToolsetAccess::find(*instance.object, view(record.tool));
    const auto body = !tool ? nullptr : reconciling ? tool->reconciler : tool->body;
    if (!body) {
      const auto status = reconciling ? AGENTD_UNKNOWN_OUTCOME : AGENTD_TERMINAL;
      return CallAccess::ending(call).fail(status, reconciling ? "this tool cannot reconcile" : "no such tool");
    }
    auto scope = instance.scopes.find(record.scope);
    if (Binder<T>::exists && !scope) return CallAccess::ending(call).fail(AGENTD_TERMINAL, "no such scope");
    if (is_concurrent<T> && body->asynchronous()) return body->run(call, view(record.arguments), scope.get());
    start_on_worker(std::move(call), [body, scope = std::move(scope), text = std::string(view(record.arguments))](Call& c) {
      body->run(c, text, scope.get());
    });
  }
};

template <class T>
struct Kind<T, std::enable_if_t<std::is_base_of_v<Toolset, T>>> {
  static constexpr const char* interface_id = AGENTD_TOOLSET_1;
  static const void* table() { return ToolsetSlots<T>::table(); }
  static std::vector<std::string> services() { return {AGENTD_HOST_OPS_1, AGENTD_HOST_WORK_1, AGENTD_HOST_TOOLS_1}; }
};

}  // namespace detail
}  // namespace agentd::sdk
