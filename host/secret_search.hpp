// Many texts looked for at once, in a time that hardly depends on how many they are: Wu and Manber, "A fast algorithm for
// multi-pattern searching" (1994). Where pairs of bytes tell that none of them can end, whole windows are skipped.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "host/secret_forms.hpp"

namespace agentd::host {

// Immutable; any thread.
class SecretSearch {
 public:
  static constexpr std::string_view kMark = "[secret]";  // what secrets are replaced with; also inside JSON strings

  explicit SecretSearch(std::vector<Form> forms);

  struct Span {
    std::size_t begin = 0, end = 0;
    bool is_word = false;  // of words alone
  };
  // The next stretch of text, at or after `from`, that forms cover; forms that overlap are one. A form within a mark is none.
  std::optional<Span> next(std::string_view text, std::size_t from) const;
  // Whether any form is there, whatever stands beside it.
  bool touches(std::string_view text) const;

 private:
  template <class Accept>
  std::optional<Span> find(std::string_view text, std::size_t from, Accept accept) const;
  std::optional<Span> find_valid(std::string_view text, std::size_t from) const;

  struct Entry {
    std::uint16_t last_pair = 0;  // of its first window_ bytes
    Form form;
  };
  std::vector<Entry> entries_;  // by last pair, longest first
  std::size_t window_ = 0;      // bytes that every form has
  std::array<std::uint8_t, 1 << 14> shifts_{};
};

}  // namespace agentd::host
