// One line of a batch: what is asked, of the host or of the file that a person sends. Both read it with the same words.
#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "core/port/cleaner.hpp"

namespace agentd::host {

struct BatchItem {
  std::string key;     // empty: the line's number stands for it
  std::string query;   // empty: the manifest's
  std::string params;  // a JSON object; empty: the manifest's
};

// {"key"?, "query"?, "params"?}. The error tells all that is wrong.
std::expected<BatchItem, std::string> read_batch_item(std::string_view line);

// Of a batch: letters, digits, '-' and '_', at most 64.
bool is_batch_name(std::string_view name);
// By which the ledger knows an item, below its batch's.
std::string batch_prefix(std::string_view name);  // "batch:NAME/"
// Whether the ledger can keep it as it is: nothing that is secret is in it.
bool is_kept_as_it_is(const port::Cleaner& cleaner, const std::string& batch_prefix);
std::string key_of_line(std::int64_t line);       // of an item without a key: "#0000012"

}  // namespace agentd::host
