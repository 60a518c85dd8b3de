// The dashboard's files, which are part of the binary: what a browser is given, as it stands in this folder.
#pragma once
#include <span>
#include <string_view>

namespace agentd::web {

struct File {
  std::string_view path;  // "views/fleet.js", as index.html's folder has it
  std::string_view type;  // a Content-Type
  std::string_view hash;  // of the text, for an ETag
  std::string_view text;
};

// In the order of their paths. Any thread.
std::span<const File> files();
// Another one whenever a file is: assets are found beneath it, so they may be kept for good. index.html has it already.
std::string_view version();

}  // namespace agentd::web
