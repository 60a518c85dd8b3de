// What an agent does without a model; the same class can decide, as a gate, whether a slot is worth a run. Replace what is here by your own.
#include <agentd/sdk/task.hpp>

#include <string>

using namespace agentd::sdk;

namespace {

struct Counter : Task {
  // [task] params of the manifest, merged with those of the run. Initialisers are defaults.
  struct Params {
    std::string what = "runs";
    AGENTD_FIELDS(what)
  };

  Outcome run(const Params& params, const Run& run) const {
    const int count = run.state_as<int>().value_or(0) + 1;
    return Outcome::result(std::to_string(count) + " " + params.what).state(count);
  }
};

}  // namespace

AGENTD_PLUGIN("my_task", "0.1.0", provides<Counter>("my_task", "Counts its successful runs"), license{"MIT"})
