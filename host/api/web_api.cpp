// The dashboard: pages that are part of the binary. They hold nothing that a token guards; what they show they ask for like anybody else.
#include "host/api/web_api.hpp"

#include <algorithm>

#include "host/api/problem.hpp"
#include "host/web/files.hpp"

namespace agentd::api {
namespace {

constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'";

const web::File* find_file(std::string_view path) {
  const auto files = web::files();
  const auto found = std::ranges::lower_bound(files, path, {}, &web::File::path);
  return found != files.end() && found->path == path ? &*found : nullptr;
}

Document file_document(const Request& request, const web::File& file, std::string keep) {
  const auto tag = "\"" + std::string(file.hash) + "\"";
  const bool has_it = request.header("if-none-match").find(tag) != std::string::npos;
  Document document{has_it ? 304 : 200, std::string(file.type), has_it ? std::string() : std::string(file.text)};
  document.headers = {{"ETag", tag}, {"Cache-Control", std::move(keep)}, {"Content-Security-Policy", std::string(kPolicy)},
                      {"Referrer-Policy", "no-referrer"}, {"Cross-Origin-Resource-Policy", "same-origin"}};
  return document;
}

Async<Answer> front(Request request) { co_return file_document(request, *find_file("index.html"), "no-cache"); }

// A page that was loaded before the host was replaced asks for what is no more.
Async<Answer> asset(Request request) {
  std::string path;
  for (const auto* part : {"folder", "file"})
    if (const auto found = request.captured.find(part); found != request.captured.end()) path += (path.empty() ? "" : "/") + found->second;
  const auto* file = request.capture("version") == web::version() ? find_file(path) : nullptr;
  if (!file || path == "index.html") co_return problem(404, "there is nothing at " + request.path);
  co_return file_document(request, *file, "public, max-age=31536000, immutable");
}

}  // namespace

void add_web(Routes& routes) {
  routes.add("GET", "/", front, Role::none);
  routes.add("GET", "/assets/{version}/{file}", asset, Role::none);
  routes.add("GET", "/assets/{version}/{folder}/{file}", asset, Role::none);
}

}  // namespace agentd::api
