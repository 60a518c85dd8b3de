// A file that stands in the binary as it stood in the source tree; agentd_embed() in host/CMakeLists.txt puts it there.
#pragma once
#include <string_view>

namespace agentd::host {

struct EmbeddedFile {
  std::string_view name;  // below its folder: "fonts/a.woff2"
  std::string_view content;
};

}  // namespace agentd::host
