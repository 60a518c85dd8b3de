// A host as `agentd serve` makes it, over a folder, without an API.
#pragma once
#include <filesystem>
#include <string>

#include "host/engine.hpp"
#include "host/setup.hpp"

namespace agentd::bench {

// Writes agentd.toml; the state is in the same folder.
void configure(const std::filesystem::path& folder, const std::string& rest);
void write_file(const std::filesystem::path& file, const std::string& text);

class WholeHost {
 public:
  explicit WholeHost(const std::filesystem::path& folder, std::vector<std::string> plugin_folders = {});
  // Opens stores and ledger. The agents and their runs come later, so that each can be measured.
  Async<void> open();
  // Reads the folder's manifests; ends the process when one is refused.
  Async<void> load_agents();
  Async<void> start();
  Async<void> stop();
  template <class T>
  T run(Async<T> story) {
    return ground.run(std::move(story));
  }

 private:
  host::Setup setup_;

 public:
  host::Ground ground;
  host::Engine engine;
};

}  // namespace agentd::bench
