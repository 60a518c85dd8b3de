#include "http_changed.hpp"

namespace gates_plugin {
namespace {

using agentd::sdk::Error;
using agentd::sdk::Failure;

constexpr uint64_t kMostBytes = 8 << 20;

// FNV-1a: nobody gains from making two pages look alike to their own gate.
std::string content_of(std::string_view body) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : body) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return std::to_string(hash) + "-" + std::to_string(body.size());
}

bool is_passing(int status) { return status == 408 || status == 429 || status >= 500; }

struct ChangedPage {
  std::string url, etag, last_modified;
  int64_t bytes = 0;
  AGENTD_FIELDS(url, etag, last_modified, bytes)
};
struct PageParams {
  ChangedPage changed;
  AGENTD_FIELDS(changed)
};

}  // namespace

agentd::sdk::HttpRequest request_for(const WatchedPage& page, const std::optional<SeenPage>& before) {
  const bool is_same_page = before && before->url == page.url;
  agentd::sdk::HttpRequest request;
  request.url = page.url;
  request.max_response_bytes = kMostBytes;
  request.max_redirects = 5;
  request.public_only = !page.allow_private;
  if (is_same_page && !before->etag.empty()) request.headers.emplace_back("if-none-match", before->etag);
  if (is_same_page && !before->last_modified.empty()) request.headers.emplace_back("if-modified-since", before->last_modified);
  return request;
}

std::optional<SeenPage> changed_page(const std::string& url, const agentd::sdk::HttpResponse& response,
                                     const std::optional<SeenPage>& before) {
  if (response.status == 304) return std::nullopt;
  if (response.status < 200 || response.status > 299)
    throw Error("the address answered " + std::to_string(response.status),
                is_passing(response.status) ? Failure::retryable : Failure::terminal);
  SeenPage now{url, std::string(response.header("etag")), std::string(response.header("last-modified")),
               content_of(response.body)};
  const bool same_page = before && before->url == url && before->content == now.content;
  return same_page ? std::nullopt : std::optional(now);
}

agentd::sdk::Outcome HttpChanged::run(const Params& params, agentd::sdk::Run& run) {
  using agentd::sdk::Outcome;
  if (params.url.empty()) throw Error("url is missing");
  const auto before = run.state_as<SeenPage>();
  const auto response = agentd::sdk::fetch(run.call(), request_for(params, before));
  const auto now = changed_page(params.url, response, before);
  if (!now) return Outcome::stop("what the address answers has not changed since the last successful run");
  return Outcome::proceed()
      .params(PageParams{{now->url, now->etag, now->last_modified, static_cast<int64_t>(response.body.size())}})
      .state(*now);
}

}  // namespace gates_plugin
