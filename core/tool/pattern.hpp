// A regular expression of a JSON Schema, compiled once. Matching takes time linear in the text and no stack (RE2).
#pragma once
#include <cstddef>
#include <memory>
#include <string_view>

#include "core/base/result.hpp"

namespace re2 {
class RE2;
}

namespace agentd::tool {

// Immutable; any thread.
class Pattern {
 public:
  // An error says what of it is broken, not supported or too large: half a megabyte of memory is what one pattern may take.
  static Result<Pattern> compile(std::string_view ecma);
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  // True when it fits some part of the text, which is UTF-8.
  bool found_in(std::string_view text) const;
  // Instructions it was compiled to: a byte of text costs at most so many steps.
  std::size_t size() const { return size_; }

 private:
  explicit Pattern(std::unique_ptr<re2::RE2> compiled);
  std::unique_ptr<re2::RE2> compiled_;
  std::size_t size_ = 0;
};

}  // namespace agentd::tool
