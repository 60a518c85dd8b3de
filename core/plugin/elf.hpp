// What a shared library exports, read from its bytes without mapping it as code.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.hpp"

namespace agentd::plugin {

struct ElfExports {
  std::vector<std::string> entries;  // dynamic symbols that are defined and named agentd_plugin_entry_v*
  std::vector<std::string> unique;   // STB_GNU_UNIQUE ones: shared between all libraries of the process. The first 16
};

// Reads what the dynamic loader would read (program headers, never section headers, which a strip may remove). Any input is safe.
// Errors: no shared library, another architecture, damaged.
Result<ElfExports> read_elf(std::span<const std::byte> file);

}  // namespace agentd::plugin
