// The host's configuration: flags over AGENTD__SECTION__KEY over the file over borrowed environment names over defaults.
#pragma once
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/manifest/environment.hpp"
#include "core/manifest/host_config.hpp"
#include "core/manifest/problem.hpp"
#include "core/manifest/setting_faults.hpp"

namespace agentd::manifest {

struct Flag {
  std::string name;                          // "--listen", for messages
  std::string key;                           // "api.listen"
  std::vector<std::string> values;           // more than one: a list
};

struct Surroundings {
  Environment environment;
  std::string working_folder;                // absolute
  std::string config_file;                   // --config; empty: searched
  std::vector<Flag> flags;
  std::string system_folder = "/etc/agentd";
};

struct Setting {                             // a line of `config show`
  std::string key;                           // "providers.openai.timeout"
  std::string value;                         // as JSON; references to secrets, never secrets
  std::string from;                          // "agentd.toml:7", "env NAME", "--listen" or "default"
};

struct LoadedConfig {
  HostConfig config;                         // usable only without problems
  std::vector<Problem> problems;
  std::vector<std::string> notes;
  std::vector<Setting> settings;             // every key in force, by name
  std::shared_ptr<const Tree> tree;          // what was read, with its places; shared by copies, which never change it
};
// At what stands at a path, or at the nearest table above it.
Problem problem_at(const LoadedConfig& loaded, std::initializer_list<std::string_view> path, std::string message);
// The same for settings in the table at a path.
Problem problem_at(const LoadedConfig& loaded, std::initializer_list<std::string_view> path, const SettingFault& fault);

// Searched for a file: config_file, $AGENTD_CONFIG, ./agentd.toml, $XDG_CONFIG_HOME/agentd/ (or ~/.config/agentd/), system_folder. One
// that is named and not there is a problem; none at all is fine.
LoadedConfig load_config(const Surroundings& surroundings);

}  // namespace agentd::manifest
