#include "tests/bench/whole_host.hpp"

#include <cstdlib>
#include <fstream>
#include <iostream>

namespace agentd::bench {
namespace {

[[noreturn]] void die(const std::string& why) {
  std::cerr << "bench_host: " << why << '\n';
  std::exit(1);
}

void must(const Result<void>& done) {
  if (!done) die(done.error().message);
}

host::Setup setup_of(const std::filesystem::path& folder, std::vector<std::string> plugin_folders) {
  cli::Surroundings asked{.config = (folder / "agentd.toml").string(), .agents = {}, .plugins = std::move(plugin_folders), .state = {}, .env_file = {}};
  auto setup = host::read_setup(asked);
  if (!setup) die(setup.error().message);
  if (!setup->loaded.problems.empty()) die(manifest::to_text(setup->loaded.problems.front()));
  return std::move(*setup);
}

}  // namespace

void write_file(const std::filesystem::path& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary);
  if (!(out << text)) die(file.string() + " cannot be written");
}

void configure(const std::filesystem::path& folder, const std::string& rest) {
  std::filesystem::create_directories(folder / "agents");
  std::filesystem::create_directories(folder / "state");
  std::filesystem::permissions(folder / "state", std::filesystem::perms::owner_all);
  write_file(folder / "agentd.toml", "[host]\nagent_dirs = [\"agents\"]\nstate_dir = \"state\"\n[log]\nlevel = \"warn\"\n" + rest);
}

WholeHost::WholeHost(const std::filesystem::path& folder, std::vector<std::string> plugin_folders)
    : setup_(setup_of(folder, std::move(plugin_folders))),
      ground(setup_.loaded, setup_.around.environment, setup_.plugin_folders, setup_.loaded.config.host.state_dir), engine(ground, setup_.loaded.config, {}) {}

Async<void> WholeHost::open() { must(co_await engine.open()); }

Async<void> WholeHost::load_agents() {
  co_await engine.load_agents(host::agent_folders(setup_.loaded), setup_.around.working_folder);
  if (!engine.roster().refused().empty()) die("an agent is refused");
}

Async<void> WholeHost::start() { must(co_await engine.start()); }

Async<void> WholeHost::stop() {
  co_await engine.stop(std::chrono::seconds(30), "measured");
  co_await engine.close();
}

}  // namespace agentd::bench
