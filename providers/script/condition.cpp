#include "condition.hpp"

#include "answer.hpp"

namespace agentd::script {
namespace {

// A number, also one in a text, as arguments and results often have it.
std::optional<double> number_of(sdk::Json value) {
  if (value.kind() == sdk::Json::Kind::number) return value.number();
  if (value.kind() != sdk::Json::Kind::string) return std::nullopt;
  const std::string text = value.string();
  const sdk::Json inner(text);
  if (inner.kind() != sdk::Json::Kind::number || !inner.valid()) return std::nullopt;
  return inner.number();
}

std::string text_of(sdk::Json value) { return value.kind() == sdk::Json::Kind::string ? value.string() : std::string(value.text()); }

int compare(sdk::Json a, sdk::Json b) {
  const auto x = number_of(a), y = number_of(b);
  if (x && y) return *x < *y ? -1 : *x > *y ? 1 : 0;
  return text_of(a).compare(text_of(b));
}

bool contains(sdk::Json whole, sdk::Json part) {
  if (whole.kind() != sdk::Json::Kind::array) return text_of(whole).find(text_of(part)) != std::string::npos;
  bool found = false;
  whole.elements([&](sdk::Json element) { found = found || compare(element, part) == 0; });
  return found;
}

}  // namespace

std::string fill_if_there(const Value& value, Scene& scene) {
  try {
    return fill(value, scene);
  } catch (const sdk::Error&) {
    return {};
  }
}

bool holds(const Condition& condition, Scene& scene) {
  const std::string left = fill_if_there(condition.value, scene);
  if (condition.op == Op::missing || condition.op == Op::exists) return left.empty() == (condition.op == Op::missing);
  const std::string right = fill_if_there(condition.than, scene);
  if (left.empty() || right.empty()) return false;
  const sdk::Json a(left), b(right);
  switch (condition.op) {
    case Op::less: return compare(a, b) < 0;
    case Op::at_most: return compare(a, b) <= 0;
    case Op::more: return compare(a, b) > 0;
    case Op::at_least: return compare(a, b) >= 0;
    case Op::equal: return compare(a, b) == 0;
    case Op::not_equal: return compare(a, b) != 0;
    default: return contains(a, b);
  }
}

}  // namespace agentd::script
