// Every row of a ledger's file, looked at: its checksum, the chains that it stands in, and that no position is missing.
#pragma once
#include <agentd/abi/ledger.h>

#include <filesystem>
#include <functional>
#include <string>

namespace agentd::sqlite {

struct Finding {
  std::int64_t position = 0;  // 0: of the whole file
  agentd_run_id run{};        // whose; none: the host's or an agent's
  std::string text;
};

struct Seen {
  std::int64_t runs = 0, records = 0;
};

// Reads alone, in short transactions, so that a host may write meanwhile: what is there when it begins is looked at. No more than 1,000
// findings are told. Throws DbError where the file cannot be read at all, or another process keeps it locked for 5 s.
Seen check_ledger(const std::filesystem::path& file, std::function<void(const Finding&)> found);

}  // namespace agentd::sqlite
