// Agents of a running host that come, change and go by command.
#include <algorithm>
#include <filesystem>
#include <ostream>

#include "core/base/file.hpp"
#include "core/base/plain_text.hpp"
#include "core/manifest/agents.hpp"
#include "host/cli/agent_patch.hpp"
#include "host/cli/ask.hpp"

namespace agentd::cli {
namespace {
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr Millis kTakeTimeout{60'000};
constexpr std::size_t kLargestManifest = 1 << 20;
constexpr const char* kToml = "application/toml";

std::string agent_path(const std::string& agent) { return "/v1/agents/" + percent_encode(agent); }

// "agents/a.toml:7:1: unknown key", a line each; without errors of the text, the reason alone.
std::vector<std::string> told(const std::string& file, const Reply& reply) {
  std::vector<std::string> lines;
  const auto problem = Json::parse(reply.body, nullptr, false);
  for (const auto& error : problem.is_object() ? problem.value("errors", Json::array()) : Json::array()) {
    manifest::Problem at{file, error.value("line", 0), error.value("column", 0), error.value("detail", "")};
    lines.push_back(manifest::to_text(at));
  }
  if (lines.empty()) lines.push_back(plain_text(file + ": " + refusal(reply).message));
  return lines;
}

struct Sending {
  Reply reply;
  Json body;
  bool is_taken() const { return reply.status >= 200 && reply.status <= 299; }
};

// What the host says of a manifest's text; a refusal where it cannot be asked.
Asked<Sending> send(const Http& http, std::string_view method, const std::string& target, const std::string& file) {
  auto text = read_regular_file(file, kLargestManifest);
  if (!text) return std::unexpected(Refusal{kUsage, text.error().message});
  auto reply = http.exchange(method, target, std::move(*text), kTakeTimeout, kToml);
  if (!reply) return std::unexpected(refusal(reply.error()));
  if (reply->status == 401 || reply->status == 403) return std::unexpected(refusal(*reply));
  auto body = Json::parse(reply->body, nullptr, false);
  return Sending{std::move(*reply), std::move(body)};
}

// The name it is to have; empty: the manifest says.
std::string name_for(const AgentsCreate& command) {
  if (!command.agent.empty()) return command.agent;
  const auto text = read_regular_file(command.file, kLargestManifest);
  const bool says = text && !manifest::parse_sent(*text, manifest::SentAs::toml).agent_id.empty();
  return says ? std::string() : fs::path(command.file).stem().string();
}

// ---- apply

struct Application {
  std::string agent, file;
  std::string result;  // created, updated, unchanged, refused
  Json revision;
  std::vector<std::string> problems;
};

Asked<std::vector<Application>> manifests_in(const std::string& folder) {
  std::vector<Application> all;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const auto name = at->path().filename();
    if (name.extension() == ".toml" && !name.string().starts_with('.')) all.push_back({.agent = name.stem().string(), .file = (fs::path(folder) / name).string(), .result = "refused"});
  }
  if (error) return std::unexpected(Refusal{kUsage, folder + ": " + error.message()});
  std::ranges::sort(all, {}, &Application::agent);
  return all;
}

Asked<void> apply(const Http& http, Application& one) {
  const auto sent = send(http, "PUT", agent_path(one.agent), one.file);
  if (!sent) return std::unexpected(sent.error());
  one.problems.clear();
  if (!sent->is_taken()) {
    one.result = "refused";
    one.problems = told(one.file, sent->reply);
    return {};
  }
  one.result = sent->reply.status == 201 ? "created" : sent->body.value("changed", false) ? "updated" : "unchanged";
  one.revision = sent->body.value("revision", Json());
  return {};
}

void print(const Application& one, const Connection& connection, const Output& to) {
  if (connection.json) {
    const Json line = {{"agent_id", one.agent}, {"file", one.file}, {"result", one.result}, {"revision", one.revision}, {"problems", one.problems}};
    to.out << line.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
    return;
  }
  to.out << one.result << std::string(10 - one.result.size(), ' ') << one.agent << '\n';
  for (const auto& problem : one.problems) to.out << "  " << problem << '\n';
}

}  // namespace

int perform(const AgentsCreate& command, const Output& to) {
  const auto http = connect(command.connection);
  if (!http) return tell(http.error(), to);
  const auto sent = send(*http, "POST", target("/v1/agents", {{"agent_id", name_for(command)}}), command.file);
  if (!sent) return tell(sent.error(), to);
  if (!sent->is_taken()) {
    for (const auto& line : told(command.file, sent->reply)) to.err << line << '\n';
    return refusal(sent->reply).exit_code;
  }
  if (command.connection.json) return print_json(sent->body, to), kDone;
  to.out << text(sent->body, "agent_id") << '\n';
  return kDone;
}

int perform(const AgentsUpdate& command, const Output& to) {
  const auto changes = agent_patch(command.changes);
  if (!changes) return tell(Refusal{kUsage, changes.error().message}, to);
  const auto answer = patch(command.connection, agent_path(command.agent), *changes, kTakeTimeout);
  if (!answer) return tell(answer.error(), to);
  if (command.connection.json) return print_json(*answer, to), kDone;
  to.out << text(*answer, "agent_id") << (answer->value("changed", false) ? ": revision " : ": unchanged, revision ") << text(*answer, "revision") << '\n';
  return kDone;
}

int perform(const AgentsDelete& command, const Output& to) {
  const auto answer = del(command.connection, agent_path(command.agent), kTakeTimeout);
  if (!answer) return tell(answer.error(), to);
  if (command.connection.json) print_json(*answer, to);
  return kDone;
}

// One that follows another may be sent before it: what was refused is sent again as long as that changes something.
int perform(const AgentsApply& command, const Output& to) {
  const auto http = connect(command.connection);
  if (!http) return tell(http.error(), to);
  auto all = manifests_in(command.folder);
  if (!all) return tell(all.error(), to);
  if (all->empty()) return tell(Refusal{kFailed, "there is no *.toml in " + command.folder}, to);
  const auto is_refused = [](const Application& one) { return one.result == "refused"; };
  for (auto left = all->size() + 1, now = all->size(); now > 0 && now < left;) {
    left = now;
    for (auto& one : *all) {
      if (!is_refused(one)) continue;
      if (auto applied = apply(*http, one); !applied) return tell(applied.error(), to);
    }
    now = static_cast<std::size_t>(std::ranges::count_if(*all, is_refused));
  }
  for (const auto& one : *all) print(one, command.connection, to);
  return std::ranges::any_of(*all, is_refused) ? kFailed : kDone;
}

}  // namespace agentd::cli
