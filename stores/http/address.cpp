#include "address.hpp"

namespace agentd::stores {

bool is_http_url(const std::string& url) { return url.starts_with("https://") || url.starts_with("http://"); }

std::string origin_of(const std::string& url) {
  const auto begin = url.find("://") + 3;
  auto authority = url.substr(begin, url.find_first_of("/?#", begin) - begin);
  if (const auto at = authority.rfind('@'); at != authority.npos) authority.erase(0, at + 1);
  return url.substr(0, begin) + authority;
}

}  // namespace agentd::stores
