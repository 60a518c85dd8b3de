#include "page.hpp"

#include <agentd/sdk/utf8.hpp>

#include "rules.hpp"

namespace http_plugin {
namespace {

using agentd::sdk::utf8_sequence;

constexpr const char* kShown[] = {"cache-control", "content-length", "content-type", "date", "etag", "last-modified", "link", "location", "retry-after"};

// Cuts a character that a bound has cut in two.
void drop_half_character(std::string& text) {
  for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const auto c = static_cast<unsigned char>(text[text.size() - back]);
    if (c < 0x80) return;
    if ((c & 0xC0) == 0x80) continue;
    if (utf8_sequence(std::string_view(text).substr(text.size() - back)) == 0) text.resize(text.size() - back);
    return;
  }
}

bool is_text(std::string_view text) {
  if (text.find('\0') != text.npos) return false;
  while (!text.empty()) {
    const std::size_t n = utf8_sequence(text);
    if (n == 0) return false;
    text.remove_prefix(n);
  }
  return true;
}

std::string from_latin1(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) agentd::sdk::append_code_point(out, static_cast<unsigned char>(c));
  return out;
}

bool says_latin1(std::string_view content_type) {
  const std::string type = lower(content_type);
  return type.find("iso-8859-1") != type.npos || type.find("windows-1252") != type.npos;
}

}  // namespace

Page make_page(const agentd::sdk::HttpHead& head, std::string body, bool complete) {
  Page page;
  page.status = head.status;
  page.url = head.url;
  for (const char* name : kShown) {
    if (const auto value = head.header(name); !value.empty()) page.headers[name] = agentd::sdk::valid_utf8(value);
  }
  page.bytes = static_cast<int64_t>(body.size());
  page.complete = complete;
  if (!complete) drop_half_character(body);
  if (is_text(body)) page.text = std::move(body);
  else if (says_latin1(head.header("content-type")) && body.find('\0') == body.npos) page.text = from_latin1(body);
  else page.binary = true;
  return page;
}

}  // namespace http_plugin
