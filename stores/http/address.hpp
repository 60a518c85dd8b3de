#pragma once
#include <string>

namespace agentd::stores {

bool is_http_url(const std::string& url);

// Scheme, host and port of such a url: what may stand in a log. A path or a query may be a secret.
std::string origin_of(const std::string& url);

}  // namespace agentd::stores
