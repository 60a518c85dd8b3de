// Vectors without a model: texts are near one another that share words, or words that are said to mean the same.
#pragma once
#include <string_view>

#include "tests/support/endpoint/scenario.hpp"

namespace agentd::endpoint {

// The answer to POST /v1/embeddings; the body may be anything. In the form that was asked for, the last text first: an index says whose
// each vector is.
Reply embed(const Scenario& scenario, std::string_view body);

}  // namespace agentd::endpoint
