#pragma once
#include "model.hpp"
#include "scene.hpp"

namespace agentd::script {

// A value with its placeholders filled in, as JSON; empty when one of them is not there.
std::string fill_if_there(const Value& value, Scene& scene);

// Whether the condition holds. Something that is not there fits only `missing`.
bool holds(const Condition& condition, Scene& scene);

}  // namespace agentd::script
