#include "host/front_door.hpp"

#include <set>

namespace agentd::host {

std::expected<FrontDoor, std::vector<manifest::Problem>> open_front_door(const manifest::LoadedConfig& loaded, const Resolve& resolve) {
  const auto& section = loaded.config.api;
  std::vector<manifest::Problem> problems;
  FrontDoor door;
  std::set<std::string> names;
  for (const auto& token : section.tokens) {
    const auto wrong = [&](const std::string& what) { problems.push_back(problem_at(loaded, {"api", "tokens"}, "token \"" + token.name + "\" " + what)); };
    if (!names.insert(token.name).second) wrong("is there twice");
    const auto role = api::role_named(token.role);
    const auto value = resolve(token.token);
    if (!value) wrong("cannot be read: " + value.error().message);
    if (!value || !role) continue;  // a role that is none is told with its key
    if (const auto unfit = door.access.add({token.name, *role}, *value)) wrong(*unfit);
  }
  if (section.tls) {
    auto certificate = api::Certificate::open(section.tls->cert, section.tls->key);
    if (certificate) door.certificate = std::move(*certificate);
    else problems.push_back(problem_at(loaded, {"api", "tls"}, certificate.error().message));
  }
  if (!problems.empty()) return std::unexpected(std::move(problems));
  return door;
}

}  // namespace agentd::host
