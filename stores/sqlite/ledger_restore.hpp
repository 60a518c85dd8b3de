// Putting a backup in a ledger's place.
#pragma once
#include <filesystem>
#include <functional>

#include "ledger_check.hpp"

namespace agentd::sqlite {

struct Restored {
  enum class Kept { nothing, ledger, remains } kept = Kept::nothing;  // of what was there before; remains: files that belong to a ledger, without it
  std::filesystem::path kept_as;                                       // of remains the name before their endings
  std::int64_t live = 0;          // runs that had not ended
};

// For who has the ledger's lock. `ledger` is the old one or the new one, whole, whenever it is looked at: after a death at any point, and
// where there was none before. Throws sdk::Error and DbError: then nothing has changed, but that a log may be kept aside already.
//
// The new one is another epoch. Its positions go on at a number that comes from the clock, 1,024 for each millisecond since 1970: no
// ledger gets there by counting, so no position (and no event id) stands for something else than it did in what was lost, even where
// that cannot be read any more and where the same backup is restored twice. Its claims and their marks are void.
Restored restore_ledger(const std::filesystem::path& backup, const std::filesystem::path& ledger, std::int64_t now_ms, std::function<void(const Finding&)> found);

}  // namespace agentd::sqlite
