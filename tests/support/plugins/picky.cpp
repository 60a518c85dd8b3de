// Toolsets that can and cannot be made without settings.
#include <agentd/sdk/toolset.hpp>
#include <cstdlib>
#include <thread>
using namespace agentd::sdk;

struct Plain : Toolset {
  explicit Plain(const Config&) {
    add("greet", "Greet somebody", {"name", {"times", "how often", 1, between(1, 10)}}, Effect::once, [](const std::string&, int) { return 1; })
        .reconcile([]() -> std::optional<int> { return 1; });
  }
};
struct Picky : Toolset {
  struct Config {
    Required<std::string> url;
    Secret key;
    AGENTD_FIELDS(url, key)
  };
};
struct Failing : Toolset {
  explicit Failing(const Config&) { throw Error("nobody answers at 127.0.0.1"); }
};
struct Stuck : Toolset {
  explicit Stuck(const Config&) {
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
  }
};
AGENTD_PLUGIN("picky", "1", provides<Plain>("plain"), provides<Picky>("picky"), provides<Failing>("failing"), provides<Stuck>("stuck"))
