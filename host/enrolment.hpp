// Agents that come, change and go through the API, while the host runs.
#pragma once
#include <expected>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "host/engine.hpp"
#include "host/fleet.hpp"

namespace agentd::host {

// The engine thread only. One change after the other, and none beside the fleet's own. What it answers is durable.
class Enrolment {
 public:
  struct Ground {
    World world;
    const manifest::HostConfig& config;
    const Ports& ports;
    Engine& engine;
    Fleet& fleet;
    const Log& log;
    std::function<void()> look_again;  // at files: one may have waited for a name that is free, or for an agent that has come
  };
  explicit Enrolment(Ground ground) : ground_(std::move(ground)) {}

  void start();          // goes on with deletions that a death cut short
  Async<void> stop();    // nothing changes any more when it returns

  struct Refusal {
    enum class Why { unknown_agent, conflict, moved_on, invalid, key_reused, ledger } why = Why::conflict;
    std::string message;                      // of an unknown agent: its id
    std::vector<manifest::Problem> problems;  // invalid
    port::LedgerError of_ledger = {};
  };
  struct Done {
    MemberRef member;
    enum class Change { none, created, updated } change = Change::none;
  };
  using Outcome = std::expected<Done, Refusal>;
  using Revision = std::optional<std::int64_t>;  // that the agent must have still; nothing: any

  // key: a second creation with it gives the first one's answer.
  Async<Outcome> create(manifest::SentManifest sent, std::string key, std::string by);
  // The manifest as a whole: creates the agent where there is none.
  Async<Outcome> put(std::string agent_id, manifest::SentManifest sent, Revision revision, std::string by);
  // patch: a JSON object (RFC 7396).
  Async<Outcome> patch(std::string agent_id, std::string patch, Revision revision, std::string by);
  // Its name is taken until what it had asked for has ended, which may be after this has answered.
  Async<std::expected<void, Refusal>> remove(std::string agent_id, Revision revision, std::string by);

 private:
  std::optional<Refusal> belongs_to_a_file(const std::string& agent_id, const char* remedy) const;
  std::optional<Refusal> not_now(const std::string& agent_id) const;
  std::optional<Refusal> is_followed(const std::string& agent_id) const;
  Async<std::optional<Refusal>> has_moved_on(std::string agent_id, Revision revision) const;
  Async<manifest::LoadedAgent> read(std::string agent_id, const manifest::SentManifest& sent) const;
  Async<Outcome> keep(std::string agent_id, const manifest::SentManifest& sent, SentAgents::Kept kept, std::string by);
  Async<std::expected<std::int64_t, Refusal>> keep(const Member& member, SentAgents::Kept kept, std::string by);
  Async<bool> free_name(std::string agent_id);
  Async<bool> end_runs(std::string agent_id);
  Async<void> end_run(RunId run);
  Async<bool> begin_anew(std::string agent_id);
  Async<void> finish_later(std::string agent_id);

  const Ground ground_;
  int finishing_ = 0;
  std::stop_source stopping_;
};

}  // namespace agentd::host
