#include "ledger_rows.hpp"

namespace agentd::sqlite {

RunRow::RunRow(const Statement& s, int first) {
  const auto number = [&](int column) { return s.integer(first + column); };
  body = {number(0), number(1), number(2), number(3), s.bytes(first + 4), s.bytes(first + 12), number(6), number(8)};
  state = {number(5), number(7), number(9), number(10)};
  fits = state.checksum(body.checksum()) == number(11);
}

RecordRow::RecordRow(const Statement& s)
    : position(s.integer(0)), run(s.integer(1)), prev(s.integer(2)), kind(s.integer(3)), at(s.integer(4)), payload(s.bytes(6)) {
  fits = checksum() == s.integer(5);
}

}  // namespace agentd::sqlite
