// Tasks that decide before the model whether a slot is worth a run. What they have seen counts once the run has succeeded.
#include <agentd/sdk/http.hpp>
#include <agentd/sdk/task.hpp>

#include "changed_files.hpp"
#include "http_changed.hpp"

using namespace agentd::sdk;

namespace {

struct Always final : Task {
  static constexpr bool concurrent = true;
  Outcome run(Run&) { return Outcome::proceed(); }
};

}  // namespace

AGENTD_PLUGIN(
    "gates", "1.0.0",
    provides<gates_plugin::ChangedFiles>("changed_files",
                                         "A gate: whether files below some folders have changed since the last successful run"),
    provides<gates_plugin::HttpChanged>("http_changed",
                                        "A gate: whether what an address answers has changed since the last successful run"),
    provides<Always>("always", "A gate that is always open"), needs({AGENTD_HOST_HTTP_1}), license{"MIT"})
