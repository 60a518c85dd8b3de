// The dashboard: pages that are part of the binary. They hold nothing that a token guards; what they show they ask for like anybody else.
#include "host/api/web_api.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "host/api/problem.hpp"
#include "host/text_mark.hpp"
#include "host/web_files.hpp"

namespace agentd::api {
namespace {

constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'";
constexpr std::string_view kFront = "index.html", kVersionHere = "@version@";
constexpr std::array<std::pair<std::string_view, const char*>, 5> kContentTypes = {
    {{".html", "text/html"}, {".js", "text/javascript"}, {".css", "text/css"}, {".svg", "image/svg+xml"}, {".txt", "text/plain"}}};

std::string digits_of(std::string_view text) {
  std::array<char, 17> digits{};
  std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(host::mark_of(text)));
  return digits.data();
}

std::string_view find_file(std::string_view name) {
  const auto files = host::web_files();
  const auto found = std::ranges::find(files, name, &host::EmbeddedFile::name);
  return found == files.end() ? std::string_view() : found->content;
}

// Another one whenever a file is: assets are found beneath it, so they may be kept for good.
const std::string& assets_version() {
  static const std::string version = [] {
    std::string all;
    for (const auto& file : host::web_files()) (((all += file.name) += '\n') += digits_of(file.content)) += '\n';
    return digits_of(all);
  }();
  return version;
}

const std::string& front_page() {
  static const std::string page = [] {
    std::string text(find_file(kFront));
    for (auto at = text.find(kVersionHere); at != text.npos; at = text.find(kVersionHere, at)) text.replace(at, kVersionHere.size(), assets_version());
    return text;
  }();
  return page;
}

Document file_document(const Request& request, std::string_view name, std::string_view text, std::string keep) {
  const auto tag = "\"" + digits_of(text) + "\"";
  const auto type = std::ranges::find_if(kContentTypes, [name](const auto& each) { return name.ends_with(each.first); });
  const bool has_it = request.header("if-none-match").find(tag) != std::string::npos;
  Document document{has_it ? 304 : 200, std::string(type == kContentTypes.end() ? "application/octet-stream" : type->second) + "; charset=utf-8", has_it ? std::string() : std::string(text)};
  document.headers = {{"ETag", tag}, {"Cache-Control", std::move(keep)}, {"Content-Security-Policy", std::string(kPolicy)},
                      {"Referrer-Policy", "no-referrer"}, {"Cross-Origin-Resource-Policy", "same-origin"}};
  return document;
}

Async<Answer> front(Request request) { co_return file_document(request, kFront, front_page(), "no-cache"); }

// A page that was loaded before the host was replaced asks for what is no more.
Async<Answer> asset(Request request) {
  std::string path;
  for (const auto* part : {"folder", "file"})
    if (const auto found = request.captured.find(part); found != request.captured.end()) path += (path.empty() ? "" : "/") + found->second;
  const auto text = request.capture("version") == assets_version() && path != kFront ? find_file(path) : std::string_view();
  if (text.empty()) co_return problem(404, "there is nothing at " + request.path);
  co_return file_document(request, path, text, "public, max-age=31536000, immutable");
}

}  // namespace

// Links pick up parameters on their way, and a page is the same with them as any file is.
void add_web(Routes& routes) {
  routes.add("GET", "/", front, Role::none).for_any_query();
  routes.add("GET", "/assets/{version}/{file}", asset, Role::none).for_any_query();
  routes.add("GET", "/assets/{version}/{folder}/{file}", asset, Role::none).for_any_query();
}

}  // namespace agentd::api
