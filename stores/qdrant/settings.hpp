// Where the server is and what its collections are called.
#pragma once
#include <agentd/sdk/duration.hpp>
#include <agentd/sdk/http.hpp>
#include <agentd/sdk/types.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace agentd::qdrant {

struct Settings {
  std::string url;  // https://HOST:PORT, in place of the next two
  std::optional<std::string> host;
  std::optional<int64_t> port;
  sdk::Secret api_key;
  std::string collection = "agentd-memory";  // of entries; those of vectors have its name and more behind it
  sdk::Duration timeout{std::chrono::seconds(5)};  // one operation, waiting for a server that restarts included
  AGENTD_FIELDS(url, host, port, api_key, collection, timeout)
};

// Throws sdk::Error: which setting is wrong, and what would be right.
std::string url_of(const Settings& settings);

sdk::HttpHeaders headers_of(const Settings& settings);

}  // namespace agentd::qdrant
