// A component whose slots are lambdas of the test, in a world that the test moves.
#pragma once
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>

#include "core/base/real_world.hpp"
#include "core/plugin/abi_text.hpp"
#include "core/plugin/instances.hpp"
#include "tests/support/virtual_world.hpp"

namespace agentd::plugin::test {

using namespace std::chrono_literals;

// What the plugin does; self is this object.
struct Actor {
  std::function<void(agentd_host*, agentd_op, std::string)> create = [this](agentd_host* h, agentd_op op, std::string) { ops(h)->created(h, op, this); };
  std::function<void(agentd_op)> destroy = [this](agentd_op op) { finish(op); };
  std::function<void(agentd_op)> cancel = [](agentd_op) {};
  agentd_host* host = nullptr;

  template <class T>
  static const T* service(agentd_host* h, const char* id) {
    return static_cast<const T*>(h->service(h, id));
  }
  static const agentd_host_ops_v1* ops(agentd_host* h) { return service<agentd_host_ops_v1>(h, AGENTD_HOST_OPS_1); }
  std::int32_t finish(agentd_op op, std::int32_t status = AGENTD_OK, std::string_view value = {}, std::int64_t after = -1) const {
    const agentd_result r{sizeof r, status, str(value), after};
    return ops(host)->finish(host, op, &r);
  }
  std::int32_t submit(agentd_op op, agentd_job_fn run, void* context) const {
    return service<agentd_host_work_v1>(host, AGENTD_HOST_WORK_1)->submit(host, op, run, context);
  }
  // A body as a lambda, owned by the job.
  std::int32_t submit(agentd_op op, std::function<void()> body) const {
    auto* const job = new std::function<void()>(std::move(body));
    const auto run = [](void* context) {
      const std::unique_ptr<std::function<void()>> mine(static_cast<std::function<void()>*>(context));
      (*mine)();
    };
    const auto status = submit(op, run, job);
    if (status != AGENTD_OK) delete job;
    return status;
  }

  static void create_slot(agentd_host* h, agentd_op op, agentd_str settings) {
    auto* const actor = const_cast<Actor*>(service<Actor>(h, "test.actor"));
    actor->host = h;
    actor->create(h, op, std::string(view(settings)));
  }
  static void destroy_slot(void* self, agentd_op op) { static_cast<Actor*>(self)->destroy(op); }
  static void cancel_slot(void* self, agentd_op op) { static_cast<Actor*>(self)->cancel(op); }
};

class Prompter final : public Extension {
 public:
  explicit Prompter(Actor& actor) : actor_(actor) {}
  const void* service(std::string_view id) const override { return id == "test.actor" ? &actor_ : nullptr; }

 private:
  Actor& actor_;
};

// One library with one component that holds the slots above.
struct Cast {
  explicit Cast(std::uint32_t flags = 0, std::size_t max_concurrent = 1000) {
    library.name = "actors";
    const agentd_component described{sizeof described, flags, str("test/1"), str("actor"), {}, {}, this};
    library.components.push_back(std::make_unique<Component>(described, max_concurrent));
  }
  Library library;
  Actor actor;
  Component& component() { return *library.components.front(); }
  static Frame frame() { return {Actor::create_slot, Actor::destroy_slot, Actor::cancel_slot}; }
};

// Time stands still, bodies run on the one thread there is.
class Stage {
 public:
  explicit Stage(std::uint32_t flags = 0, std::size_t max_concurrent = 1000) : cast(flags, max_concurrent) {}
  ~Stage() { world.run(instances.close()); }

  Result<Instance*> open(std::string settings = "{}") {
    auto opened = world.run(instances.open("one", cast.library, cast.component(), Cast::frame(), std::make_unique<Prompter>(cast.actor), std::move(settings)));
    if (opened) instance = *opened;
    return opened;
  }
  port::Outcome call(Instance::Start start, Millis timeout = 30s, std::stop_token stop = {}) {
    return world.run(instance->call(std::move(start), timeout, std::move(stop)));
  }
  // Starts a call and leaves it running; the answer appears in the optional.
  void begin(std::optional<port::Outcome>& answer, Instance::Start start, Millis timeout = 30s, std::stop_token stop = {}) {
    auto story = [](Async<port::Outcome> calling, std::optional<port::Outcome>& out) -> Async<void> { out = co_await std::move(calling); };
    spawn(world.io().get_executor(), story(instance->call(std::move(start), timeout, std::move(stop)), answer));
    world.settle();
  }

  support::VirtualWorld world;
  Cast cast;
  Services services;
  std::string log;
  Instances instances{world.world(),
                      Services{.log = [this](LogLevel, std::string_view, std::string_view text) { (log += text) += '\n'; }},
                      {.patience = {.create = 30s, .destroy = 10s, .grace = 5s},
                       .make_workers = [this](const Library&) { return std::make_unique<InlineWorkers>(world.world().executor); }}};
  Instance* instance = nullptr;
};

}  // namespace agentd::plugin::test
