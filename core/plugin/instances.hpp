// Every live instance of every plugin, with the operations and the threads that they share.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/plugin/instance.hpp"

namespace agentd::plugin {

// The engine thread only. Outlives every port made from it; the libraries outlive it.
class Instances {
 public:
  struct Options {
    Patience patience;
    // Threads of a plugin; simulations give InlineWorkers. Empty: a WorkerPool of eight.
    std::function<std::unique_ptr<Workers>(const Library&)> make_workers;
    // Checks settings (JSON) against a component's schema before any code of it runs. Empty: settings are not checked.
    std::function<Result<void>(std::string_view schema, std::string_view settings)> check_settings;
  };
  Instances(World world, Services services, Options options);
  ~Instances();  // an instance that is not closed stays in memory: its plugin may still use it
  Instances(const Instances&) = delete;
  Instances& operator=(const Instances&) = delete;

  // Made and created, ready to be called; or why not. What failed is kept until the end: its plugin may speak late.
  Async<Result<Instance*>> open(std::string name, Library& library, Component& component, Frame frame, std::unique_ptr<Extension> extension,
                                std::string settings);
  // Latest first. What could not be closed, for people.
  Async<std::vector<std::string>> close();

 private:
  Workers& workers(const Library& library);

  const World world_;
  const Services services_;
  const Options options_;
  const std::shared_ptr<Ops> ops_;  // shared with its wake-ups
  std::vector<std::unique_ptr<Instance>> instances_;
  std::map<const Library*, std::unique_ptr<Workers>> workers_;
};

}  // namespace agentd::plugin
