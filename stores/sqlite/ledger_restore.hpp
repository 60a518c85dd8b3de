// Putting a backup in a ledger's place.
#pragma once
#include <filesystem>
#include <functional>

#include "ledger_check.hpp"

namespace agentd::sqlite {

struct Restored {
  std::filesystem::path kept_as;  // what was there before; empty: nothing was
  std::int64_t live = 0;          // runs that had not ended
};

// For who has the ledger's lock. `ledger` is the old one or the new one, whole, whenever it is looked at. Throws sdk::Error and DbError:
// then nothing has changed.
//
// The new one is another epoch. Its positions go on at a number that comes from the clock, 1,024 for each millisecond since 1970: no
// ledger gets there by counting, so no position (and no event id) stands for something else than it did in what was lost, even where
// that cannot be read any more and where the same backup is restored twice. Its claims and their marks are void.
Restored restore_ledger(const std::filesystem::path& backup, const std::filesystem::path& ledger, std::int64_t now_ms, std::function<void(const Finding&)> found);

}  // namespace agentd::sqlite
