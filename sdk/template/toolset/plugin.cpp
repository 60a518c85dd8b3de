// Tools that a model may call. Replace what is here by your own.
#include <agentd/sdk/toolset.hpp>

#include <string>

using namespace agentd::sdk;

namespace {

struct Greeter : Toolset {
  // Settings: [toolsets.my_toolset] in the host's configuration. Initialisers are defaults.
  struct Config {
    std::string greeting = "Hello";
    AGENTD_FIELDS(greeting)
  };

  explicit Greeter(const Config& config) : greeting_(config.greeting) {
    add("greet", "Greet somebody by name", {{"name", "whom to greet"}, {"times", "how often", 1, between(1, 10)}}, Effect::pure,
        [this](const std::string& name, int times) { return greet(name, times); });
  }

 private:
  std::string greet(const std::string& name, int times) const {
    std::string text;
    for (int i = 0; i < times; ++i) text += greeting_ + ", " + name + "! ";
    return text;
  }
  std::string greeting_;
};

}  // namespace

AGENTD_PLUGIN("my_toolset", "0.1.0", provides<Greeter>("my_toolset", "Greets people"), license{"MIT"})
