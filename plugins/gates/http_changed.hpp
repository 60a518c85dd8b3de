// The gate `http_changed`: a run where an address answers something else than before. Addresses of this machine and its network
// are refused after name resolution and on every redirect, unless the gate says allow_private.
#pragma once
#include <agentd/sdk/http.hpp>
#include <agentd/sdk/task.hpp>

#include <optional>
#include <string>

namespace gates_plugin {

// What an address answered, as far as it tells one answer from another.
struct SeenPage {
  std::string url, etag, last_modified;
  std::string content;  // its hash and size
  AGENTD_FIELDS(url, etag, last_modified, content)
};

// What the manifest says; no run has a word in it.
struct WatchedPage {
  std::string url;
  bool allow_private = false;  // an address of this machine and its network
  AGENTD_FIELDS(url, allow_private)
};

// With what was seen the server may say that nothing has changed instead of sending it again.
agentd::sdk::HttpRequest request_for(const WatchedPage& page, const std::optional<SeenPage>& before);

// Nothing: it is as it was. Throws where the answer is no page.
std::optional<SeenPage> changed_page(const std::string& url, const agentd::sdk::HttpResponse& response,
                                     const std::optional<SeenPage>& before);

struct HttpChanged : agentd::sdk::Task {
  static constexpr bool concurrent = true;
  using Params = WatchedPage;
  agentd::sdk::Outcome run(const Params& params, agentd::sdk::Run& run);
};

}  // namespace gates_plugin
