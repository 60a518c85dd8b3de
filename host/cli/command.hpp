// What a command line asks for, as plain values. parse.hpp makes them.
#pragma once
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/base/time.hpp"

namespace agentd::cli {

// Where a client command finds its host, and how it prints.
struct Connection {
  std::string url = "http://127.0.0.1:8765";
  std::string token;
  std::string ca_file;  // of who signed the host's certificate; empty: whom the system trusts
  bool json = false;
};

// What the commands share that read a configuration themselves.
struct Surroundings {
  std::string config;                // empty: the search order
  std::vector<std::string> agents;   // folders; replace the configuration's
  std::vector<std::string> plugins;  // folders; searched first
  std::string state;
  std::string env_file;
};

struct Init {
  std::string folder = ".";
};
struct RunFile {
  Surroundings surroundings;
  std::string manifest;
  std::optional<std::string> query;
  bool dry_run = false;
  bool json = false;
};
struct Serve {
  Surroundings surroundings;
  std::string listen;
  std::optional<Millis> run_for;
};
struct Check {
  Surroundings surroundings;
  bool json = false;
  bool cost = false;
  bool ledger = false;
};
struct Doctor {
  Surroundings surroundings;
  bool json = false;
};
struct Schema {
  enum class Of { manifest, config } of = Of::manifest;
};
struct ConfigShow {
  Surroundings surroundings;
  bool json = false;
};
struct PluginsList {
  Surroundings surroundings;
  Connection connection;  // of a host that may be running
  bool broken = false;
};
struct PluginsInspect {
  std::string file;
  bool json = false;
};
struct PluginsTest {
  std::string file;
  std::string settings = "{}";  // JSON object
  bool json = false;
};
struct PluginsNew {
  std::string kind, name;
  std::string folder;  // empty: the name, in this one
  bool json = false;
};
struct ToolsList {
  Surroundings surroundings;
  bool json = false;
};
struct ToolsCall {
  Surroundings surroundings;
  std::string tool;
  std::string arguments = "{}";   // JSON object; "-": standard input
  std::optional<Millis> timeout;  // nothing: what [defaults] say
  bool json = false;
};
struct ScheduleNext {
  Surroundings surroundings;
  std::string agent;     // one of agent, cron, interval
  std::string cron;
  std::string interval;
  std::string timezone;  // empty: the agent's, else UTC
  std::string from;      // empty: now
  std::size_t count = 5;
  bool json = false;
};
// A script for a shell, or the manual page.
struct Completion {
  std::string shell;
};
struct Manual {};
struct Status {
  Connection connection;
  std::string agent;  // empty: all
  bool watch = false;
};
struct AgentsList {
  Connection connection;
};
struct AgentsMode {
  Connection connection;
  std::string agent;
  std::string verb;  // pause, resume, stop or start
  std::string by, reason;
};
struct AgentsShow {
  Connection connection;
  std::string agent;
};
struct AgentsCreate {
  Connection connection;
  std::string file;
  std::string agent;  // in place of the manifest's; empty: that, else the file's stem
};
struct AgentsUpdate {
  Connection connection;
  std::string agent;
  std::vector<std::string> changes;  // KEY=VALUE
};
struct AgentsDelete {
  Connection connection;
  std::string agent;
};
struct AgentsApply {
  Connection connection;
  std::string folder;
};
struct AgentsRun {
  Connection connection;
  std::string agent;
  std::optional<std::string> query;
  std::string params;  // JSON object or empty
  std::string key;
  std::string session;
  bool wait = false;
};
struct RunsList {
  Connection connection;
  std::string agent;
  std::string status;
  std::size_t limit = 50;
};
struct RunsShow {
  Connection connection;
  std::string run;
  bool steps = false;
};
struct RunsCancel {
  Connection connection;
  std::string run;
  std::string reason;
};
struct RunsRetry {
  Connection connection;
  std::string run;
};
struct RunsReplay {
  Connection connection;
  std::string run;
  std::string model;             // empty: the run's
  std::optional<int> from_step;  // nothing: the first
  bool live = false;
};
struct RunsForget {
  Connection connection;
  std::string run;
};
struct ApprovalsList {
  Connection connection;
  std::string agent;
};
struct ApprovalsShow {
  Connection connection;
  std::string call;
};
struct ApprovalsDecide {
  Connection connection;
  std::string call;
  bool approve = false;
  std::string reason;
  std::string by;
  std::string arguments_hash;
};
struct BatchSubmit {
  Connection connection;
  std::string agent;
  std::string file;
  std::string name;   // empty: what the file says names it
  bool wait = false;
};
struct BatchList {
  Connection connection;
  std::string agent;
};
struct BatchShow {
  Connection connection;
  std::string batch;
};
struct QuarantineList {
  Connection connection;
  std::string agent;
};
struct QuarantineReview {
  enum class What { edit, retry, drop } what = What::drop;
  Connection connection;
  std::string run;
  std::optional<std::string> query;  // of edit, as params
  std::string params;                // JSON object or empty
  std::string by, reason;
};
struct Events {
  Connection connection;
  std::string agent, run, session, since;
  std::vector<std::string> types;
  bool follow = false;
};

struct AlertsList {
  Connection connection;
};

struct BudgetsList {
  Connection connection;
};
struct BudgetsRaise {
  Connection connection;
  std::string scope, amount;
};

struct MemoryList {
  Connection connection;
  std::string agent;
  std::string query;  // empty: the newest, else what fits best
  std::string type, session;
  std::size_t limit = 50;
};
struct MemoryAdd {
  Connection connection;
  std::string agent, text;
  std::string type, session, key;
};
struct MemoryForget {
  Connection connection;
  std::string agent, entry;
};

struct LedgerBackup {
  Connection connection;
  Surroundings surroundings;
  std::string file;
};
struct LedgerRestore {
  Surroundings surroundings;
  std::string file;
  bool json = false;
};

using Command = std::variant<Init, Completion, Manual, RunFile, Serve, Check, Doctor, Schema, ConfigShow, PluginsList, PluginsInspect, PluginsTest, PluginsNew, ToolsList, ToolsCall, ScheduleNext, Status,
                             AgentsList, AgentsShow, AgentsMode, AgentsCreate, AgentsUpdate, AgentsDelete, AgentsApply, AgentsRun, RunsList, RunsShow, RunsCancel, RunsRetry, RunsReplay, RunsForget, LedgerBackup, LedgerRestore, MemoryList, MemoryAdd, MemoryForget, ApprovalsList, ApprovalsShow, ApprovalsDecide, AlertsList, BudgetsList, BudgetsRaise, QuarantineList, QuarantineReview, BatchSubmit, BatchList, BatchShow,
                             Events>;

// Exit codes that scripts rely on.
inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;       // the thing asked for failed
inline constexpr int kUsage = 2;        // wrong usage or configuration
inline constexpr int kUnreachable = 3;  // no host at the URL
inline constexpr int kRefused = 4;      // token

}  // namespace agentd::cli
