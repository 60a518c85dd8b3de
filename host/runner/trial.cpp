#include "host/runner/trial.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/base/file.hpp"
#include "core/base/real_world.hpp"
#include "core/base/time.hpp"
#include "core/net/client.hpp"
#include "core/plugin/load.hpp"
#include "core/plugin/ports.hpp"
#include "core/tool/schema.hpp"
#include "host/conformance/events.hpp"
#include "host/conformance/memory.hpp"

namespace agentd::runner {
namespace {

using conformance::Unmet;
using nlohmann::ordered_json;

constexpr std::chrono::seconds kPatience{40};  // with one operation; the stores' own bounds are shorter
constexpr std::size_t kMostSettings = 1 << 20;

Result<void> check_settings(std::string_view schema, std::string_view settings) {
  const auto compiled = tool::Schema::compile(schema);
  if (!compiled) return fail("its settings schema cannot be used: " + compiled.error().message);
  const auto value = tool::parse_strict(settings);
  if (!value) return std::unexpected(value.error());
  return compiled->check(*value);
}

// The world as a host gives it to instances, and those that live in it.
class Stage {
 public:
  explicit Stage(std::filesystem::path folder) : folder_(std::move(folder)) {}

  template <class T>
  T run(Async<T> story) {
    std::optional<T> result;
    auto body = [](Async<T> inner, std::optional<T>& out) -> Async<void> { out = co_await std::move(inner); };
    spawn(io_.get_executor(), body(std::move(story), result));
    const auto until = std::chrono::steady_clock::now() + kPatience;
    io_.restart();
    while (!result && io_.run_one_until(until) > 0) {}
    if (!result) throw Unmet("it did not come back within " + format_duration(kPatience));
    return std::move(*result);
  }
  plugin::Instances& instances() { return instances_; }
  void close() {
    const auto left = run(instances_.close());
    if (!left.empty()) throw Unmet(left.front());
  }

 private:
  const std::filesystem::path folder_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> busy_{io_.get_executor()};
  SystemClock clock_;
  AsioTimers timers_{io_};
  SystemRandom random_;
  const World world_{io_.get_executor(), clock_, timers_, random_};
  net::Client http_{world_};
  plugin::Instances instances_{world_,
                               {.log = {}, .http = &http_, .metrics = nullptr, .io = &io_, .kv_folder = folder_, .cleaner = nullptr},
                               {.patience = {}, .make_workers = {}, .check_settings = check_settings}};
};

template <class Port>
using Open = Async<Result<std::unique_ptr<Port>>> (*)(plugin::Instances&, plugin::Catalog::Found, std::string, std::string);

// A component, its instance, and what it stands on. A stage that did not close is left behind: what is still busy may speak late.
template <class Port>
class Made {
 public:
  Made(plugin::Catalog::Found found, Open<Port> open, std::string settings, std::filesystem::path folder)
      : found_(found), open_(open), settings_(std::move(settings)), folder_(std::move(folder)) {}

  void make() {
    stage_ = new Stage(folder_);
    auto opened = stage_->run(open_(stage_->instances(), found_, found_.component->name, settings_));
    if (!opened) throw Unmet(opened.error().message);
    port_ = std::move(*opened);
  }
  void close() {
    port_.reset();
    stage_->close();
    delete std::exchange(stage_, nullptr);
  }
  Port& operator*() { return *port_; }
  template <class T>
  T run(Async<T> story) {
    return stage_->run(std::move(story));
  }

 private:
  const plugin::Catalog::Found found_;
  const Open<Port> open_;
  const std::string settings_;
  const std::filesystem::path folder_;
  Stage* stage_ = nullptr;
  std::unique_ptr<Port> port_;
};

using Tell = const std::function<void(const std::string&)>&;

// Said before it is done: what ends the process in it cannot say.
void begin(Tell tell, const std::string& operation) { tell(ordered_json{{"operation", operation}}.dump(-1, ' ', false, ordered_json::error_handler_t::replace)); }

class Memory final : public conformance::MemoryBench {
 public:
  Memory(Made<port::MemoryStore>& made, Tell tell) : made_(made), tell_(tell) {}
  Result<void> put(std::vector<port::MemoryEntry> entries) override {
    begin(tell_, "put");
    return made_.run((*made_).put(std::move(entries), Millis(30'000)));
  }
  Result<std::vector<port::MemoryEntry>> list(port::MemoryQuery query) override {
    begin(tell_, "list");
    return made_.run((*made_).list(std::move(query)));
  }
  Result<std::vector<port::MemoryEntry>> search(port::MemoryQuery query) override {
    begin(tell_, query.vector.empty() ? "search for \"" + query.text + '"' : "search by a vector");
    return made_.run((*made_).search(std::move(query)));
  }
  Result<std::uint64_t> remove(port::MemoryQuery query) override {
    begin(tell_, "remove");
    return made_.run((*made_).remove(std::move(query)));
  }

 private:
  Made<port::MemoryStore>& made_;
  Tell tell_;
};

class Events final : public conformance::EventsBench {
 public:
  Events(Made<port::EventStore>& made, Tell tell) : made_(made), tell_(tell) {}
  Result<void> append(std::vector<port::Event> events) override {
    begin(tell_, "append");
    return made_.run((*made_).append(std::move(events)));
  }
  Result<void> reopen() override {
    begin(tell_, "closing and opening it again");
    made_.close();
    made_.make();
    return {};
  }
  int before() const override { return before_; }
  void next() { before_ += conformance::kPositionsOfACheck; }

 private:
  Made<port::EventStore>& made_;
  Tell tell_;
  int before_ = 0;
};

class Trial {
 public:
  Trial(plugin::Library& library, std::filesystem::path folder, std::string settings, Tell tell)
      : library_(library), folder_(std::move(folder)), settings_(std::move(settings)), tell_(tell) {}

  void hold(plugin::Component& component) {
    who_ = std::string(plugin::name(component.kind)) + " " + component.name;
    const bool described = check("describes its settings", [&] {
      if (component.settings_schema.empty()) return;
      if (const auto schema = tool::Schema::compile(component.settings_schema); !schema) throw Unmet(schema.error().message);
    });
    if (!described) return;
    switch (component.kind) {
      case plugin::Kind::toolset: return make_and_close<port::Toolset>(component, plugin::open_toolset);
      case plugin::Kind::task: return make_and_close<port::Task>(component, plugin::open_task);
      case plugin::Kind::provider: return make_and_close<port::Provider>(component, open_provider);
      case plugin::Kind::memory: return hold_memory(component);
      case plugin::Kind::events: return hold_events(component);
      case plugin::Kind::ledger:
      case plugin::Kind::unsupported: return;  // nobody's but ours, and nothing that this agentd knows
    }
  }

 private:
  static Async<Result<std::unique_ptr<port::Provider>>> open_provider(plugin::Instances& instances, plugin::Catalog::Found found, std::string name, std::string settings) {
    return plugin::open_provider(instances, found, std::move(name), std::move(settings), 1);
  }

  template <class F>
  bool check(std::string_view promise, F keep) {
    ordered_json line{{"component", who_}, {"check", promise}};
    tell_(line.dump());
    line["unmet"] = nullptr;
    try {
      keep();
    } catch (const Unmet& unmet) {
      line["unmet"] = unmet.what();
    }
    tell_(line.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
    return line["unmet"].is_null();
  }
  template <class Port>
  Made<Port> made(plugin::Component& component, Open<Port> open) {
    return Made<Port>({&library_, &component}, open, settings_, folder_);
  }
  template <class Port>
  void make_and_close(plugin::Component& component, Open<Port> open) {
    auto one = made<Port>(component, open);
    if (check("is made", [&] { one.make(); })) check("closes", [&] { one.close(); });
  }
  void hold_memory(plugin::Component& component) {
    auto one = made<port::MemoryStore>(component, plugin::open_memory);
    if (!check("is made", [&] { one.make(); })) return;
    Memory bench(one, tell_);
    for (const auto& promise : conformance::memory_checks()) check(promise.promise, [&] { promise.hold(bench); });
    if (component.vectors)
      for (const auto& promise : conformance::vector_checks()) check(promise.promise, [&] { promise.hold(bench); });
    check("closes", [&] { one.close(); });
  }
  void hold_events(plugin::Component& component) {
    auto one = made<port::EventStore>(component, plugin::open_events);
    if (!check("is made", [&] { one.make(); })) return;
    Events bench(one, tell_);
    for (const auto& promise : conformance::events_checks()) {
      check(promise.promise, [&] { promise.hold(bench); });
      bench.next();
    }
    check("closes", [&] { one.close(); });
  }

  plugin::Library& library_;
  const std::filesystem::path folder_;
  const std::string settings_;
  Tell tell_;
  std::string who_;
};

}  // namespace

void hold_to_promises(const std::filesystem::path& file, const std::filesystem::path& folder, const std::function<void(const std::string&)>& tell) {
  const auto refuse = [&tell](const std::string& why) { tell(ordered_json{{"error", why}}.dump(-1, ' ', false, ordered_json::error_handler_t::replace)); };
  const auto settings = read_regular_file((folder / "settings.json").string(), kMostSettings);
  if (!settings) return refuse(settings.error().message);
  const auto library = plugin::load(file);
  if (!library) return refuse(library.error().message);
  Trial trial(**library, folder, *settings, tell);
  for (const auto& component : (*library)->components) trial.hold(*component);
}

}  // namespace agentd::runner
