#include "ledger_rows.hpp"

namespace agentd::sqlite {

RunRow::RunRow(const Statement& s, int first) {
  const auto number = [&](int column) { return s.integer(first + column); };
  body = {number(0), number(1), number(2), number(3), s.bytes(first + 4), s.bytes(first + 12), number(6), number(8)};
  state = {number(5), number(7), number(9), number(10)};
  fits = state.checksum(body.checksum()) == number(11);
}

RecordRow::RecordRow(const Statement& s)
    : RecordBody{s.integer(0), s.integer(1), s.integer(2), s.integer(3), s.integer(4), s.bytes(6)} {
  fits = checksum() == s.integer(5);
}

}  // namespace agentd::sqlite
