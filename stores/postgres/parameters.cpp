#include "parameters.hpp"

namespace agentd::postgres {
namespace {

template <class T>
void append(std::string& out, T value) {
  for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
}

}  // namespace

void append_int32(std::string& out, std::int32_t value) { append(out, static_cast<std::uint32_t>(value)); }
void append_int64(std::string& out, std::int64_t value) { append(out, static_cast<std::uint64_t>(value)); }

void Column::add(std::int64_t value) {
  ++count_;
  append_int32(elements_, 8);
  append_int64(elements_, value);
}

void Column::add(std::string_view bytes) {
  ++count_;
  append_int32(elements_, static_cast<std::int32_t>(bytes.size()));
  elements_ += bytes;
}

void Column::add_null() {
  ++count_;
  has_null_ = true;
  append_int32(elements_, -1);
}

std::string Column::binary() const {
  std::string out;
  out.reserve(20 + elements_.size());
  append_int32(out, count_ ? 1 : 0);  // dimensions
  append_int32(out, has_null_);
  append_int32(out, static_cast<std::int32_t>(type_));
  if (count_) {
    append_int32(out, count_);
    append_int32(out, 1);  // the first index
    out += elements_;
  }
  return out;
}

void Parameters::add(std::int64_t value) { append_int64(values_.emplace_back(), value); }

}  // namespace agentd::postgres
