// From the server to the mirror: what others have written, in order, and at the start all that lives.
#pragma once
#include <chrono>
#include <functional>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "ledger_rows.hpp"
#include "stores/ledger/group.hpp"
#include "stores/ledger/mirror.hpp"

namespace agentd::sdk {
class Host;
}

namespace agentd::postgres {

// The row that everybody's groups go through.
struct Head {
  std::int64_t groups = 0;
  GroupWriter::Next next;
  std::int64_t tail_from = 1;
  std::string epoch;
};

struct Worker {
  std::int64_t id = 0;
  bool is_dead = false;  // its lease is over, by the server's clock
};

// The writer's. The mutex is the mirror's.
class Follower {
 public:
  static const Statement kHead, kLockedHead, kWorkers;
  static Head head(const Rowset& rows);
  static std::vector<Worker> workers(const Rowset& rows);
  using Tell = std::function<void(Group&)>;  // its texts are borrowed until it returns

  Follower(Mirror& mirror, std::mutex& mutex, Budgets& budgets, const sdk::Host& host) : mirror_(mirror), mutex_(mutex), budgets_(budgets), host_(host) {}

  // All that lives, within a transaction that sees it as it was at `head`.
  Group read_all(Connection& connection, const Head& head);
  // What was written since, up to `head`, in pieces that are told; likewise.
  void follow(Connection& connection, const Head& head, const Tell& tell);
  bool is_behind(const Head& head) const { return head.groups != seen_; }
  // A group of this process's own became durable, and the mirror knows.
  void wrote(std::int64_t group, std::int64_t next_position) { seen_ = group, next_ = next_position; }
  std::int64_t seen() const { return seen_; }
  std::int64_t next_position() const { return next_; }

  void i_am(std::int64_t worker) { worker_ = worker; }
  // Claims of this worker that nobody here knows of: their answer was lost.
  bool has_strays() const { return !strays_.empty(); }
  std::vector<LetGo> take_strays() { return std::exchange(strays_, {}); }

 private:
  static constexpr std::chrono::milliseconds kLongPatience{60'000};
  struct Piece;
  void learn(const RunRow& row, Piece& piece);
  void learn(const RecordRow& row, std::uint32_t nonce, std::string_view agent, Piece& piece);
  void learn_agents(const Rowset& rows, Piece& piece);
  std::vector<AccountName> learn_accounts(const Rowset& rows);
  void learn_holds(const Rowset& rows, const std::set<std::int64_t>& of);
  void feed(const Rowset& entries, const Rowset& records, Piece& piece);
  void follow_groups(Connection& connection, std::int64_t upto, std::int64_t before, const Tell& tell);
  void catch_up(Connection& connection, const Head& head, const Tell& tell);
  void damaged(std::int64_t position);

  Mirror& mirror_;
  std::mutex& mutex_;
  Budgets& budgets_;
  const sdk::Host& host_;
  std::int64_t seen_ = 0, next_ = 1, worker_ = 0;
  std::vector<LetGo> strays_;
  std::set<std::int64_t> told_;  // damaged positions that the log knows of
};

}  // namespace agentd::postgres
