#include "core/plugin/instances.hpp"

namespace agentd::plugin {
namespace {
constexpr int kThreads = 8;
}

Instances::Instances(World world, Services services, Options options)
    : world_(std::move(world)), services_(std::move(services)), options_(std::move(options)), ops_(std::make_shared<Ops>(world_.executor, world_.clock)) {}

Instances::~Instances() {
  ops_->close();
  for (auto& [library, workers] : workers_) workers->close();  // no thread of ours is in a body afterwards, but for those stuck
  for (auto& instance : instances_) {
    if (instance->can_be_deleted()) continue;
    workers_[&instance->library()].release();  // what is stuck comes back to it
    instance.release();
  }
}

Workers& Instances::workers(const Library& library) {
  auto& workers = workers_[&library];
  if (!workers) workers = options_.make_workers ? options_.make_workers(library) : std::make_unique<WorkerPool>(library.name, kThreads);
  return *workers;
}

Async<Result<Instance*>> Instances::open(std::string name, Library& library, Component& component, Frame frame, std::unique_ptr<Extension> extension,
                                         std::string settings) {
  if (options_.check_settings && !component.settings_schema.empty())
    if (auto fits = options_.check_settings(component.settings_schema, settings); !fits) co_return std::unexpected(fits.error());
  const Instance::Surroundings around{world_, services_, options_.patience, ops_, workers(library)};
  instances_.push_back(std::make_unique<Instance>(std::move(name), library, component, frame, std::move(extension), around));
  Instance& made = *instances_.back();
  auto creating = made.create(std::move(settings));
  const auto created = co_await std::move(creating);
  if (!created) co_return std::unexpected(created.error());
  co_return &made;
}

Async<std::vector<std::string>> Instances::close() {
  std::vector<std::string> left;
  for (auto i = instances_.size(); i-- > 0;) {
    auto closing = instances_[i]->close();
    if (const auto closed = co_await std::move(closing); !closed) left.push_back(closed.error().message);
  }
  co_return left;
}

}  // namespace agentd::plugin
