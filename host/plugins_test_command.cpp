// `agentd plugins test`: the file is mapped in the runner, never here.
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "core/manifest/secrets.hpp"
#include "host/commands.hpp"
#include "host/places.hpp"
#include "host/redactor.hpp"
#include "host/runner/test.hpp"

namespace agentd::host {

int perform(const cli::PluginsTest& command, const cli::Output& to) {
  using Report = nlohmann::ordered_json;
  const auto settings = manifest::resolve_settings(command.settings, environment_of(environ));
  if (!settings) {
    to.err << "agentd: --settings: " << settings.error().message << '\n';
    return cli::kUsage;
  }
  Redactor redactor;
  for (const auto& secret : settings->secrets) redactor.add(secret);
  auto tested = runner::test_in_runner("/proc/self/exe", command.file, settings->json);
  if (!tested) {
    redactor.clean(tested.error().message);
    to.err << "agentd: " << tested.error().message << '\n';
    return cli::kFailed;
  }
  redactor.clean(tested->errors);
  to.err << tested->errors;
  cli::Table table({{"kept", cli::Cut::never}, {"component", cli::Cut::never}, {"promise", cli::Cut::never}});
  Report list = Report::array();
  for (auto& promise : tested->promises) {
    redactor.clean(promise.unmet);
    const bool is_kept = promise.unmet.empty();
    table.row({is_kept ? "ok" : "failed", promise.component, promise.check + (is_kept ? "" : ": " + promise.unmet)});
    list.push_back({{"component", promise.component}, {"check", promise.check}, {"ok", is_kept}, {"reason", is_kept ? Report() : Report(promise.unmet)}});
  }
  to.out << (command.json ? list.dump(2, ' ', false, Report::error_handler_t::replace) + "\n" : table.text(to.terminal));
  return std::ranges::all_of(tested->promises, [](const auto& promise) { return promise.unmet.empty(); }) ? cli::kDone : cli::kFailed;
}

}  // namespace agentd::host
