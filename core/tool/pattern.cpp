#include "core/tool/pattern.hpp"

#include <re2/re2.h>

#include "core/base/json_text.hpp"
#include "core/tool/ecma_pattern.hpp"

namespace agentd::tool {
namespace {

constexpr std::int64_t kMostMemory = 512 << 10;

std::string shown(const std::string& text) { return std::string(clip_utf8(text, 100)); }

std::string words(const re2::RE2& broken) {
  switch (broken.error_code()) {
    case re2::RE2::ErrorPatternTooLarge:
      return "it is too large when its repetitions are written out";
    case re2::RE2::ErrorRepeatSize:
      return '"' + shown(broken.error_arg()) +
             "\" repeats in a wrong order or more than 1000 times; bound a length with maxLength";
    default:
      return shown(broken.error());
  }
}

}  // namespace

Pattern::Pattern(std::unique_ptr<re2::RE2> compiled)
    : compiled_(std::move(compiled)), size_(static_cast<std::size_t>(compiled_->ProgramSize())) {}
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

Result<Pattern> Pattern::compile(std::string_view ecma) {
  const auto translated = re2_of_ecma(ecma);
  if (!translated) return std::unexpected(translated.error());
  re2::RE2::Options options;
  options.set_log_errors(false);  // it would write to standard error
  options.set_never_capture(true);
  options.set_max_mem(kMostMemory);
  auto compiled = std::make_unique<re2::RE2>(*translated, options);
  if (!compiled->ok()) return fail(ErrorClass::schema, words(*compiled));
  return Pattern(std::move(compiled));
}

bool Pattern::found_in(std::string_view text) const {
  return compiled_->Match({text.data(), text.size()}, 0, text.size(), re2::RE2::UNANCHORED, nullptr, 0);
}

}  // namespace agentd::tool
