#include "ledger_rows.hpp"

namespace agentd::postgres {

RunRow::RunRow(const Rowset& rows, int row, int first) {
  const auto number = [&](int column) { return rows.integer(row, first + column); };
  const auto key = rows.is_null(row, first + 14) ? std::string_view() : rows.bytes(row, first + 14);
  body = {number(0), number(1), number(2), 0, key, rows.bytes(row, first + 15), number(3), number(5)};
  state = {number(12), number(4), number(7), number(11)};
  said = number(6), generation = number(8), worker = number(9), aside = number(13) != 0;
  agent = rows.bytes(row, first + 16);
  fits = state.checksum(body.checksum()) == number(10);
}

RecordRow::RecordRow(const Rowset& rows, int row)
    : RecordBody{rows.integer(row, 0), rows.integer(row, 1), rows.integer(row, 2), rows.integer(row, 3), rows.integer(row, 4), rows.bytes(row, 6)} {
  fits = checksum() == rows.integer(row, 5);
}

}  // namespace agentd::postgres
