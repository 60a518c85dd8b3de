// `agentd ledger backup` and `restore`: on the ledger's files, or through the host that has them open.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <ostream>

#include "host/cli/ask.hpp"
#include "host/commands.hpp"
#include "host/ground.hpp"
#include "host/setup.hpp"

namespace agentd::host {
namespace {

namespace fs = std::filesystem;

constexpr Millis kBackupTimeout{std::chrono::hours(6)};

// Calls `work` with the configured ledger's files, or says why there are none.
template <class Work>
Async<Result<port::LedgerReport>> with_ledger_files(Ground& ground, Work work) {
  co_await ground.ports.open(Ports::Stores::only_looked_at);
  auto files = ground.ports.ledger_files();
  Result<port::LedgerReport> report = fail("");
  if (files) report = work(**files);
  else report = std::unexpected(files.error());
  co_await ground.ports.close();
  co_return report;
}

template <class Work>
Result<port::LedgerReport> on_ledger_files(const Setup& setup, Work work) {
  auto quiet = setup.loaded;
  quiet.config.log.level = "off";
  Ground ground(quiet, setup.around.environment, setup.plugin_folders, quiet.config.host.state_dir);
  return ground.run(with_ledger_files(ground, work));
}

std::string words_of(const port::LedgerReport& report) {
  std::string all;
  for (const auto& one : report.found) all += (all.empty() ? "" : "\n") + (one.position ? "position " + std::to_string(one.position) + ": " : "") + one.text;
  return all;
}

int refuse_ledger(const std::string& message, const cli::Output& to) { return cli::tell({cli::kFailed, message}, to); }

bool is_same_folder(const fs::path& one, const fs::path& other) {
  std::error_code none;
  return fs::equivalent(one, other, none);
}

// The state folder is the host's own, with all that is in it: a copy there might take the place of what the host has open.
bool is_inside(const fs::path& file, const fs::path& folder) {
  std::error_code none;
  const auto parent = fs::weakly_canonical(fs::absolute(file, none).parent_path(), none);
  for (auto up = parent; !up.empty(); up = up.parent_path()) {
    if (is_same_folder(up, folder)) return true;
    if (up == up.parent_path()) break;
  }
  return false;
}

// Durable under its new name before the old one goes; over the border of a file system it is copied beside first.
Result<void> move_durably(const fs::path& from, const fs::path& to) {
  const auto folder = to.has_parent_path() ? to.parent_path() : fs::path(".");
  std::error_code error;
  if (::rename(from.c_str(), to.c_str()) != 0) {
    if (errno != EXDEV) return fail(to.string() + ": " + std::strerror(errno));
    const auto part = fs::path(to.string() + ".part");
    fs::copy_file(from, part, fs::copy_options::overwrite_existing, error);
    const int fd = error ? -1 : ::open(part.c_str(), O_RDWR | O_CLOEXEC);
    const bool synced = fd >= 0 && ::fchmod(fd, 0600) == 0 && ::fsync(fd) == 0;
    const auto why = error ? error.message() : std::string(std::strerror(errno));
    if (fd >= 0) ::close(fd);
    if (!synced || ::rename(part.c_str(), to.c_str()) != 0) {
      fs::remove(part, error);
      return fail(to.string() + ": " + why);
    }
    fs::remove(from, error);
  }
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  if (!synced) return fail(folder.string() + ": " + std::strerror(errno));
  return {};
}

int back_up_through_host(const cli::LedgerBackup& command, const Setup& setup, const std::string& in_use, const cli::Output& to) {
  const auto made = cli::post(command.connection, "/v1/ledger/backup", nlohmann::ordered_json::object(), kBackupTimeout);
  if (!made && made.error().exit_code == cli::kUnreachable) return cli::tell({cli::kUnreachable, in_use + "\n" + made.error().message + "; name the host that has it with --url"}, to);
  if (!made) return cli::tell(made.error(), to);
  const fs::path copy = cli::text(*made, "file");
  if (!is_same_folder(copy.parent_path(), setup.loaded.config.host.state_dir))
    return refuse_ledger("the host at " + command.connection.url + " keeps its state in " + copy.parent_path().string() + ", not in " + setup.loaded.config.host.state_dir + "; name the other one with --url", to);
  const auto moved = move_durably(copy, command.file);
  if (moved) return cli::kDone;
  std::error_code none;
  fs::remove(copy, none);
  return refuse_ledger(moved.error().message, to);
}

int say_backed_up(const cli::LedgerBackup& command, const cli::Output& to) {
  std::error_code none;
  const auto bytes = fs::file_size(command.file, none);
  if (command.connection.json) cli::print_json({{"file", command.file}, {"bytes", bytes}}, to);
  else to.out << command.file << ": " << bytes << " bytes\n";
  return cli::kDone;
}

}  // namespace

int perform(const cli::LedgerBackup& command, const cli::Output& to) {
  const auto setup = usable_setup(command.surroundings, to);
  if (!setup) return setup.error();
  const auto& state = setup->loaded.config.host.state_dir;
  if (is_inside(command.file, state)) return cli::tell({cli::kUsage, command.file + " is in the state folder " + state + ", which is the host's alone; name a file outside of it"}, to);
  const auto report = on_ledger_files(*setup, [&](port::LedgerFiles& files) { return files.copy(command.file); });
  if (!report) return refuse_ledger(report.error().message, to);
  if (report->in_use) {
    const int code = back_up_through_host(command, *setup, words_of(*report), to);
    return code == cli::kDone ? say_backed_up(command, to) : code;
  }
  if (!report->found.empty()) return refuse_ledger(words_of(*report), to);
  return say_backed_up(command, to);
}

int perform(const cli::LedgerRestore& command, const cli::Output& to) {
  const auto setup = usable_setup(command.surroundings, to);
  if (!setup) return setup.error();
  const auto report = on_ledger_files(*setup, [&](port::LedgerFiles& files) { return files.restore(command.file, SystemClock().now()); });
  if (!report) return refuse_ledger(report.error().message, to);
  if (report->in_use) return refuse_ledger(words_of(*report) + "; stop it first", to);
  if (!report->found.empty()) return refuse_ledger(words_of(*report), to);
  if (command.json) cli::print_json({{"restored", command.file}, {"notes", report->told}}, to);
  else
    for (const auto& told : report->told) to.out << told << '\n';
  return cli::kDone;
}

}  // namespace agentd::host
