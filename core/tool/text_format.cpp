#include "core/tool/text_format.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace agentd::tool {
namespace {

// Reads a text from its front; once something does not fit, nothing does.
class Front {
 public:
  explicit Front(std::string_view text) : rest_(text) {}

  std::optional<int> number(std::size_t digits) {
    int value = 0;
    const auto text = rest_.substr(0, digits);
    if (text.size() < digits || text.find_first_not_of("0123456789") != text.npos) return std::nullopt;
    std::from_chars(text.data(), text.data() + text.size(), value);
    rest_.remove_prefix(digits);
    return value;
  }
  bool number_up_to(int most) {
    const auto value = number(2);
    return value && *value <= most;
  }
  bool one_of(std::string_view characters) {
    if (rest_.empty() || !characters.contains(rest_.front())) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool some_digits() {
    const auto end = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    rest_.remove_prefix(end);
    return end > 0;
  }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

bool date(Front& text) {
  const auto year = text.number(4);
  if (!year || !text.one_of("-")) return false;
  const auto month = text.number(2);
  if (!month || !text.one_of("-")) return false;
  const auto day = text.number(2);
  using namespace std::chrono;
  return day && year_month_day(std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                               std::chrono::day(static_cast<unsigned>(*day)))
                    .ok();
}

bool time(Front& text) {
  if (!text.number_up_to(23) || !text.one_of(":") || !text.number_up_to(59) || !text.one_of(":") || !text.number_up_to(60))
    return false;
  if (text.one_of(".") && !text.some_digits()) return false;
  if (text.one_of("Zz")) return true;
  return text.one_of("+-") && text.number_up_to(23) && text.one_of(":") && text.number_up_to(59);
}

}  // namespace

std::optional<TextFormat> text_format(std::string_view name) {
  if (name == "date") return TextFormat::date;
  if (name == "time") return TextFormat::time;
  if (name == "date-time") return TextFormat::date_time;
  return std::nullopt;
}

const char* name(TextFormat format) {
  switch (format) {
    case TextFormat::date:
      return "date";
    case TextFormat::time:
      return "time";
    case TextFormat::date_time:
      return "date-time";
  }
  return "";
}

bool has_format(std::string_view text, TextFormat format) {
  Front front(text);
  if (format != TextFormat::time && !date(front)) return false;
  if (format == TextFormat::date_time && !front.one_of("Tt")) return false;
  if (format != TextFormat::date && !time(front)) return false;
  return front.at_end();
}

}  // namespace agentd::tool
