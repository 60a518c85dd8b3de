// A host that runs for half a year, with all that comes in between: stops, deaths, lost power, hours and days of being away.
#pragma once
#include <optional>

#include "core/run/agent.hpp"
#include "tests/sim/disk.hpp"
#include "tests/sim/months/host.hpp"

namespace agentd::sim::months {

// How much there is at one moment.
struct Sample {
  Millis at{0};  // since the beginning
  std::size_t resident_bytes = 0, ledger_bytes = 0, wal_bytes = 0, other_bytes = 0;
  std::optional<std::size_t> runs, records;  // counted once a week
};

class HalfYear final : public run::AgentSource {
 public:
  struct Plan {
    std::size_t agents = 100;
    std::uint64_t seed = 1;
    std::chrono::days days{187};
    std::chrono::days retention{30};
  };
  HalfYear(Plan plan, Disk& disk, std::filesystem::path folder, const host::Log& log);
  void run();

  const Calendar& calendar() const { return calendar_; }
  const std::vector<Sample>& samples() const { return samples_; }
  // What is wrong, of slots and of what has grown.
  std::vector<std::string> objections() const;
  std::size_t stops = 0, kills = 0, power_losses = 0;
  Millis away{0};

  Async<Result<run::AgentRef>> agent(std::string agent_id, std::int64_t) override { co_return agents_.at(agent_id); }
  Async<Result<run::AgentRef>> agent_with(std::string agent_id, std::int64_t revision, Change) override { return agent(std::move(agent_id), revision); }

 private:
  run::AgentRef make(const manifest::AgentSpec& spec);
  void one_life();
  void live_until(Host& host, Instant until);
  void end(Host& host);
  void kill(Host& host);
  void rest();
  void sample(Host& host);
  template <class T>
  std::pair<T, T> most(T (*of)(const Sample&)) const;

  const Plan plan_;
  Disk& disk_;
  Dice dice_;
  const Instant begin_, end_;
  const std::vector<manifest::AgentSpec> specs_;
  Calendar calendar_;
  Elsewhere elsewhere_;
  std::optional<run::Endpoint> endpoint_;
  std::map<std::string, run::AgentRef> agents_;
  Installation installation_;
  Instant wall_;
  std::vector<Sample> samples_;
  Millis last_count_{-1};
  std::vector<std::string> objections_;
};

}  // namespace agentd::sim::months
