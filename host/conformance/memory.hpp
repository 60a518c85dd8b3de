#pragma once
#include <span>
#include <vector>

#include "core/base/result.hpp"
#include "core/port/memory.hpp"
#include "host/conformance/check.hpp"

namespace agentd::conformance {

// A memory store whose operations are waited for.
class MemoryBench {
 public:
  virtual ~MemoryBench() = default;
  virtual Result<void> put(std::vector<port::MemoryEntry> entries) = 0;
  virtual Result<std::vector<port::MemoryEntry>> list(port::MemoryQuery query) = 0;
  virtual Result<std::vector<port::MemoryEntry>> search(port::MemoryQuery query) = 0;
  virtual Result<std::uint64_t> remove(port::MemoryQuery query) = 0;
};

// Each begins and ends without any entry of the agents it uses, whose names begin with "conformance".
std::span<const Check<MemoryBench>> memory_checks();
// Of stores that keep vectors, too.
std::span<const Check<MemoryBench>> vector_checks();

}  // namespace agentd::conformance
