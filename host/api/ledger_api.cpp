// A copy of the ledger while it is in use.
#include <filesystem>

#include "host/api/endpoints.hpp"
#include "host/api/json.hpp"
#include "host/api/problem.hpp"
#include "host/api/said.hpp"

namespace agentd::api {
namespace {

constexpr const char* kBackupFile = "ledger-backup.db";

// Into the state folder and nowhere else: who may ask for a copy may not therefore write files of this host. Who takes it moves it away.
Async<Answer> back_up(Context& context, Request request) {
  if (auto wrong = read_nothing(request)) co_return std::move(*wrong);
  const auto file = (std::filesystem::absolute(context.config.host.state_dir) / kBackupFile).lexically_normal();
  auto copying = context.upkeep.backup(file.string());
  const auto copied = co_await std::move(copying);
  if (!copied) co_return problem(503, copied.error().message);
  std::error_code none;
  co_return document({{"file", file.string()}, {"bytes", std::filesystem::file_size(file, none)}});
}

}  // namespace

void add_ledger(Routes& routes, Context& context) {
  routes.add("POST", "/v1/ledger/backup", [&context](Request r) { return back_up(context, std::move(r)); }, Role::admin);
}

}  // namespace agentd::api
