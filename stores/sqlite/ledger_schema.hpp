// The ledger's tables, their versions, and the numbers that stand beside them.
#pragma once
#include <cstdint>

#include "db.hpp"

namespace agentd::sqlite {

inline constexpr std::int64_t kSchemaVersion = 4;

// meta: each row a number, or the epoch's text.
namespace meta {
inline constexpr const char* kSchema = "schema";
inline constexpr const char* kSession = "session";    // how often the ledger was opened: generations grow over restarts
inline constexpr const char* kEpoch = "epoch";        // random, made with the ledger
inline constexpr const char* kLiveFrom = "live_from"; // every live run has this id or a larger one
inline constexpr const char* kTailFrom = "tail_from"; // every record that a live run's row does not know of stands here or later
inline constexpr const char* kRemoved = "removed";    // how many positions are not there any more, and rightly so
inline constexpr const char* kNext = "next";          // no position before it is given again; written when rows are removed
inline constexpr const char* kRestored = "restored";  // not opened since it took the place of another one
inline constexpr const char* kProbe = "probe";        // written and taken away again to see whether the disk has room
}  // namespace meta

bool is_new(Db& db);  // it has no tables yet
// Makes the tables or brings an older schema up to date; a newer one is refused: an older binary would not understand its rows.
void prepare_schema(Db& db);
std::int64_t read_meta(Db& db, const char* key);  // 0 when it is not there
std::string read_epoch(Db& db);

}  // namespace agentd::sqlite
