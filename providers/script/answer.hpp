// What the script answers in a scene. Everything throws sdk::Error, with the place in the script.
#pragma once
#include <agentd/sdk/provider.hpp>

#include "model.hpp"
#include "scene.hpp"

namespace agentd::script {

struct Played {
  sdk::ModelAnswer answer;
  std::chrono::milliseconds delay{0};
};
Played play(const Script& script, Scene& scene);

std::string render(const Text& text, Scene& scene);
std::string fill(const Value& value, Scene& scene);  // as JSON

}  // namespace agentd::script
