// `agentd init`: files a newcomer can read from top to bottom and run as they are.
#include <filesystem>
#include <fstream>
#include <ostream>

#include "host/commands.hpp"

namespace agentd::host {
namespace fs = std::filesystem;
namespace {

constexpr const char* kConfig = R"toml([host]
agent_dirs = ["agents"]             # every *.toml here is an agent
state_dir = "state"                 # the ledger and what else must last; made at the first start, readable by you alone

[log]
level = "info"                      # debug shows every event

[api]
listen = "127.0.0.1:8765"           # where `agentd status` and the other commands find this host

[toolsets.fs]                       # what agents may do with files
roots = ["/var/log"]                # only below these folders
read_only = true                    # no agent of this host may write

# A model, once you have a key for one:
# [providers.openai]                # also any other endpoint that speaks chat completions
# base_url = "https://api.openai.com/v1"
# api_key = "env:OPENAI_API_KEY"    # a reference, never the key itself
)toml";

constexpr const char* kAgent = R"toml(agent_id = "hello"                  # the file's name, too
description = "How full this machine's disks are"

[task]
native = "disk_report"              # a task of a plugin: no model, no key, nothing leaves the machine
params = { thresholds = { disk_usage = 90 } }   # percent; what is fuller is named in the report

[schedule]
interval = "5m"                     # or: cron = "0 9 * * MON-FRI"

[retry]
max_retries = 1                     # of a failed run
delay = "10s"
)toml";

bool write_new(const fs::path& file, const char* text, const cli::Output& to) {
  std::error_code error;
  if (fs::exists(file, error)) {
    to.err << "agentd: " << file.string() << " is there already; it is left as it is\n";
    return false;
  }
  fs::create_directories(file.parent_path(), error);
  std::ofstream out(file);
  out << text;
  out.flush();
  if (!out)
    to.err << "agentd: " << file.string() << " cannot be written\n";
  else
    to.out << "wrote " << file.string() << '\n';
  return out.good();
}

}  // namespace

int perform(const cli::Init& command, const cli::Output& to) {
  const fs::path folder = command.folder;
  const bool config = write_new(folder / "agentd.toml", kConfig, to);
  const bool agent = write_new(folder / "agents/hello.toml", kAgent, to);
  if (!config || !agent) return cli::kFailed;
  to.out << "next: " << (command.folder == "." ? "" : "cd " + command.folder + " && ")
         << "agentd serve; in another terminal: agentd agents run hello --wait\n";
  return cli::kDone;
}

}  // namespace agentd::host
