// Has a class of the same name as the other plugin, with inline data and functions of the same names.
#include <agentd/sdk/toolset.hpp>
using namespace agentd::sdk;

struct Twin : Toolset {
  inline static int calls = 0;
  static const char*& last_word() {
    static const char* word = "beta";
    return word;
  }
  static const char* name() { return "beta"; }
  explicit Twin(const Config&) {
    add("who", "Whose code is this?", Effect::pure, [] { return std::string(name()) + " " + last_word() + " " + std::to_string(++calls); });
  }
};
AGENTD_PLUGIN("beta", "1.0.0", provides<Twin>("beta"))
