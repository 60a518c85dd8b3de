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
