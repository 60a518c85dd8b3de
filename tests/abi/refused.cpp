// Compiled once per case, with one macro defined: each must fail with its sentence. Without a macro it compiles.
#include <agentd/sdk/toolset.hpp>
using namespace agentd::sdk;

enum class Unit { metres };
struct Plain {
  int a;
};

struct Refused : Toolset {
  explicit Refused(const Config&) {
    add("fine", "", {"x"}, Effect::pure, [](double x) { return x; });
    add("literal", "", Effect::once, []() -> const char* { return "x"; }).reconcile([]() -> std::optional<std::string> { return "x"; });
    add("ratio", "", Effect::once, [] { return 0.5; }).reconcile([]() -> std::optional<int> { return 1; });
    add("any", "", Effect::once, [] { return Raw{"1"}; }).reconcile([]() -> std::optional<int> { return 1; });
    add("maybe", "", Effect::once, [] { return std::optional<int>(1); }).reconcile([]() -> std::optional<int> { return 1; });
#if defined(AUTO)
    add("f", "", {"x"}, Effect::pure, [](auto x) { return x; });
#elif defined(CHAR)
    add("f", "", {"x"}, Effect::pure, [](char x) { return int(x); });
#elif defined(CHAR_RESULT)
    add("f", "", Effect::pure, []() -> char { return 'x'; });
#elif defined(POINTER)
    add("f", "", {"x"}, Effect::pure, [](const char* x) { return std::string(x); });
#elif defined(POINTER_RESULT)
    add("f", "", Effect::pure, []() -> int* { return nullptr; });
#elif defined(REFERENCE)
    add("f", "", {"x"}, Effect::pure, [](std::string& x) { return x; });
#elif defined(TOO_FEW_NAMES)
    add("f", "", {"x"}, Effect::pure, [](double x, double y) { return x * y; });
#elif defined(TOO_MANY_NAMES)
    add("f", "", {"x", "y"}, Effect::pure, [](double x) { return x; });
#elif defined(NO_NAMES)
    add("f", "", Effect::pure, [](double x) { return x; });
#elif defined(LATE_CALL)
    add("f", "", {"x", "call"}, Effect::pure, [](double x, Call&) { return x; });
#elif defined(CALL_BY_VALUE)
    add("f", "", Effect::pure, [](Call) {});
#elif defined(REPLY_AND_RESULT)
    add("f", "", Effect::pure, [](Reply<int>) { return 1; });
#elif defined(PLAIN_STRUCT)
    add("f", "", {"x"}, Effect::pure, [](Plain x) { return x.a; });
#elif defined(PLAIN_ENUM)
    add("f", "", {"x"}, Effect::pure, [](Unit) { return 1; });
#elif defined(RECONCILE_VERDICT)
    add("f", "", Effect::once, [] {}).reconcile([](Call&) {});
#elif defined(RECONCILE_WITHOUT_RESULT)
    add("f", "", Effect::once, [] { return 1; }).reconcile([] { return true; });
#elif defined(RECONCILE_RESULT_OF_NOTHING)
    add("f", "", Effect::once, [](Reply<void>) {}).reconcile([]() -> std::optional<int> { return 1; });
#elif defined(RECONCILE_OTHER_RESULT)
    add("f", "", Effect::once, [] { return 1; }).reconcile([]() -> std::optional<std::string> { return "1"; });
#elif defined(RECONCILE_FRACTION_OF_INTEGER)
    add("f", "", Effect::once, [](Reply<int>) {}).reconcile([]() -> std::optional<double> { return 1.5; });
#elif defined(DEFAULT_TEXT_OF_NUMBER)
    add("f", "", {{"x", "a count", "many"}}, Effect::pure, [](int x) { return x; });
#elif defined(DEFAULT_NUMBER_OF_TEXT)
    add("f", "", {"x", {"y", "a text", 7}}, Effect::pure, [](int x, const std::string&) { return x; });
#elif defined(DEFAULT_NUMBER_OF_BOOL)
    add("f", "", {{"x", "a switch", 1}}, Effect::pure, [](bool x) { return x; });
#elif defined(DEFAULT_FRACTION_OF_INTEGER)
    add("f", "", {{"x", "a count", 1.5, at_most(3)}}, Effect::pure, [](std::optional<int> x) { return x; });
#elif defined(RANGE_OF_TEXT)
    add("f", "", {{"x", "a text", between(1, 3)}}, Effect::pure, [](const std::string& x) { return x; });
#elif defined(RANGE_OF_INTEGER)
    add("f", "", {{"x", "a count", at_least(0.5)}}, Effect::pure, [](int x) { return x; });
#elif defined(NOT_CALLABLE)
    add("f", "", Effect::once, 7);
#endif
  }
};

#if defined(NO_KIND)
AGENTD_PLUGIN("refused", "1", provides<Plain>("plain"))
#else
AGENTD_PLUGIN("refused", "1", provides<Refused>("refused"))
#endif
