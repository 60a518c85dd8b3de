// The dashboard's pages.
#pragma once
#include "host/api/routes.hpp"

namespace agentd::api {

void add_web(Routes& routes);  // / and /assets

}  // namespace agentd::api
