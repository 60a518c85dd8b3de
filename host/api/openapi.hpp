// What GET /v1/openapi.json says of this API: OpenAPI 3.1, written by hand in openapi/, a file for each group of endpoints.
#pragma once
#include "host/api/json.hpp"

namespace agentd::api {

// All of it in one document. What about.json says of every operation is in each, where the operation does not say otherwise itself.
Json openapi();

}  // namespace agentd::api
