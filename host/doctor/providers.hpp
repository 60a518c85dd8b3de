// Whether models can be reached. Nothing is generated, so nothing is spent.
#pragma once
#include <string>

#include "core/base/async.hpp"
#include "core/manifest/host_config.hpp"
#include "core/port/http.hpp"
#include "host/doctor/finding.hpp"

namespace agentd::doctor {

struct Asked {
  std::string name;      // "openai" of [providers.openai]
  std::string plugin;
  std::string settings;  // JSON, references resolved
  std::string schema;    // of the settings
};
Async<Finding> ask_provider(port::HttpClient& http, Asked provider);

}  // namespace agentd::doctor
