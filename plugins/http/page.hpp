// What a model is shown of an answer.
#pragma once
#include <agentd/sdk/http.hpp>
#include <agentd/sdk/types.hpp>

#include <cstdint>
#include <map>
#include <string>

namespace http_plugin {

struct Page {
  int status = 0;
  std::string url;                             // after redirects
  std::map<std::string, std::string> headers;  // those that say something about the content or where it is
  std::string text;                            // UTF-8; empty when the content is binary
  int64_t bytes = 0;                           // read, before a cut
  bool complete = true;                        // false: longer than may be read, and cut
  bool binary = false;                         // not text: its bytes are not shown
  AGENTD_FIELDS(status, url, headers, text, bytes, complete, binary)
};

Page make_page(const agentd::sdk::HttpHead& head, std::string body, bool complete);

}  // namespace http_plugin
