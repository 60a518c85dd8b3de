// The ledger's tables as a group of writes changes them: what the group has to know of them is read in one round trip before it is
// decided, and what it changes gathers here, a statement for each table, and goes out in one more.
#pragma once
#include <map>
#include <optional>
#include <set>

#include "ledger_rows.hpp"
#include "stores/ledger/budgets.hpp"
#include "stores/ledger/mirror.hpp"

namespace agentd::postgres {

// The writer's alone, within its transaction. Throws PgError.
class Tables final : public Rows {
 public:
  // ---- around a group
  void begin(Connection& connection);
  void send_lookups(const std::vector<Write>& writes, const Budgets& budgets);
  void take_lookups(const std::vector<Rowset>& results, std::size_t first);  // what they gave, beginning with that one
  void claim(const LiveRun& run);
  bool changed() const { return changed_; }
  void touch() { changed_ = true; }  // something else of the group did
  struct Group {
    std::int64_t number = 0, nonce = 0, worker = 0;
    std::int64_t next_position = 0, next_agent = 0;
  };
  void send(const Group& group);  // all that is left, and that the group has been
  void applied() { swept_ = sweep_; }    // the group is durable
  void forgotten() { sweep_ = swept_; }  // it has not happened

  // ---- Rows
  bool insert_run(const RunBody& body, const RunState& state, bool aside) override;
  agentd_run_id first_with_key(std::int64_t agent, const std::string& key) override;
  void update_run(const LiveRun& run) override;
  std::optional<RunFound> find_run(std::int64_t id) override;
  void came_back(std::int64_t) override {}
  void insert_record(const RecordBody& record) override;
  void insert_agent(std::int64_t id, const std::string& name, std::uint32_t max_concurrent, const std::string& stats) override;
  void limit_agent(std::int64_t id, std::uint32_t max_concurrent) override;
  void stats_agent(std::int64_t id, const std::string& stats, std::int64_t newest) override;
  void state_agent(std::int64_t id, const std::string& state) override;
  std::optional<LatestSpec> latest_spec(std::int64_t agent) override;
  bool had_spec(std::int64_t agent, const std::string& content) override;
  void insert_spec(std::int64_t agent, std::int64_t revision, std::int64_t at, const std::string& content) override;
  void put_cursor(const std::string& name, std::int64_t position) override;
  std::optional<Account> read_account(const AccountName& name) override;
  void put_account(const AccountName& name, const Account& account) override;
  void put_holds(std::int64_t run, const std::vector<Held>& holds) override;
  Removed prune(const Remove& what, std::int64_t now) override;
  Forgotten forget(const agentd_run_id& run) override;
  void keep_marks(std::int64_t live_from, std::int64_t tail_from) override;

 private:
  // A column for each of the values that a row of a table gets.
  struct Insert {
    explicit Insert(std::initializer_list<Column::Type> types) : columns(types.begin(), types.end()), types_(types) {}
    template <class... A>
    void add(const A&... values) {
      std::size_t column = 0;
      (columns[column++].add(values), ...);
    }
    bool empty() const { return columns[0].count() == 0; }
    Parameters take();
    std::vector<Column> columns;

   private:
    std::vector<Column::Type> types_;
  };
  struct Changed {
    RunState state;
    std::int64_t said = 0, checksum = 0;
  };
  struct Sweep {  // how far pruning has come
    enum class Part { runs, records, accounts } part = Part::runs;
    std::int64_t at = 0, day = INT64_MIN;
    std::string account;
  };
  struct Removal;
  bool sweep_runs(Removal& step);  // false: the step is over
  bool sweep_records(Removal& step);
  bool sweep_accounts(Removal& step);
  struct Ended;
  std::int64_t remove_runs(const std::vector<Ended>& runs, std::int64_t most, std::int64_t& begun);
  void flush();  // what is on its way arrives before something is removed
  enum class Lookup { keys, runs, specs, accounts };
  void send_rows();
  void run_touched(std::int64_t run);
  static Column ids(const std::set<std::int64_t>& numbers);

  Connection* connection_ = nullptr;
  bool changed_ = false;
  Sweep sweep_, swept_;
  // What is known of the tables
  std::vector<Lookup> lookups_;
  std::map<std::pair<std::int64_t, std::string>, agentd_run_id> keys_;
  std::map<std::int64_t, RunFound> found_;
  std::map<std::int64_t, LatestSpec> specs_;
  std::map<AccountName, Account> accounts_;
  // What is on its way to them
  using Type = Column::Type;
  Insert runs_{Type::int8, Type::int8, Type::int8, Type::int8, Type::int8, Type::int8, Type::int8, Type::int8, Type::int8, Type::bytea, Type::bytea};
  Insert records_{Type::int8, Type::int8, Type::int8, Type::int8, Type::int8, Type::int8, Type::bytea};
  Insert agents_{Type::int8, Type::text, Type::int8, Type::bytea};
  Insert new_specs_{Type::int8, Type::int8, Type::int8, Type::bytea};
  Insert put_accounts_{Type::text, Type::int8, Type::int8, Type::int8, Type::int8, Type::int8, Type::int8, Type::int8};
  Insert claims_{Type::int8, Type::int8, Type::int8};
  std::map<std::int64_t, Changed> run_changes_;
  std::map<std::int64_t, std::uint32_t> limits_;
  std::map<std::int64_t, std::string> stats_, states_;
  std::map<std::string, std::int64_t> cursors_;
  std::map<std::int64_t, std::vector<Held>> holds_;
  std::optional<std::int64_t> tail_from_;
  std::int64_t removed_ = 0;
  // What others have to read again
  std::set<std::int64_t> touched_runs_, touched_agents_;
  std::set<AccountName> touched_accounts_;
};

}  // namespace agentd::postgres
