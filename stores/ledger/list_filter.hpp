// Which runs a list is of.
#pragma once
#include <cstdint>
#include <string>

namespace agentd::ledger {

struct ListFilter {
  std::string agent_id;
  std::int32_t status = 0;
  std::int64_t before = 0;
  std::uint64_t limit = 0;
  std::string key_from, key_before;
};

}  // namespace agentd::ledger
