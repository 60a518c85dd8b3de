// One connection to the server. Statements go out together and come back together: send() queues them, sync() is the round trip.
//
// Whatever fails is thrown as PgError by sync(). After an error of the server the connection is rolled back and goes on; after a loss it
// is closed, and only a new one can tell what became of what was sent.
#pragma once
#include <libpq-fe.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "errors.hpp"
#include "parameters.hpp"

namespace agentd::postgres {

// Where to, and what the session is like.
struct Place {
  std::string url;
  std::string schema;
};

// Prepared on each connection when it is first sent. Every text is its own name, so it lives as long as the program.
struct Statement {
  const char* sql;
};

// The rows of one statement, in the binary format.
class Rowset {
 public:
  explicit Rowset(PGresult* result) : result_(result) {}
  int rows() const { return PQntuples(result_.get()); }
  bool empty() const { return rows() == 0; }
  std::int64_t changed() const;  // of a statement that changes rows
  bool is_null(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }
  std::int64_t integer(int row, int column) const;   // int8, int4, int2 or boolean
  double real(int row, int column) const;            // float8
  std::string_view bytes(int row, int column) const;  // bytea or text
  std::string text(int row, int column) const { return std::string(bytes(row, column)); }

 private:
  struct Clear {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  std::unique_ptr<PGresult, Clear> result_;
};

// One thread at a time. Blocks, for no longer than the patience of each round trip.
class Connection {
 public:
  static constexpr std::chrono::milliseconds kPatience{10'000};

  explicit Connection(const Place& place);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void send(const Statement& statement, const Parameters& parameters = Parameters());
  std::vector<Rowset> sync(std::optional<std::chrono::milliseconds> patience = {});  // what each statement sent since the last one gave
  Rowset ask(const Statement& statement, const Parameters& parameters = Parameters());  // the two in one; what was sent before goes with it
  Rowset ask_once(const std::string& sql, const Parameters& parameters);  // the same of a text that is made for the occasion, and not kept
  // Several statements in one text, without parameters; for making tables.
  void run(const std::string& script, std::optional<std::chrono::milliseconds> patience = {});
  // One statement that may take hours: it is not waited for, and nothing else is asked of this connection. is_over() says whether it came
  // to its end, and throws where that was a failure. When the connection is closed before, the server goes on with it.
  void begin(const std::string& sql);
  bool is_over();

  // For what comes now, in place of kPatience for each round trip.
  void be_patient_until(std::chrono::steady_clock::time_point until) { until_ = until; }

  bool is_lost() const { return lost_; }
  bool is_idle() const { return queued_.empty() && PQtransactionStatus(connection_) == PQTRANS_IDLE; }
  void rollback() noexcept;  // where that fails it is lost

  // Waits until the server has something to say without being asked, `wake` can be read, or so long. True: it was notified, and not by
  // somebody who said `own`.
  bool wait_for_notice(int wake, std::chrono::milliseconds longest, std::string_view own);

 private:
  [[noreturn]] void lose(const std::string& why);
  void wait(bool to_write, std::chrono::steady_clock::time_point until);
  void flush(std::chrono::steady_clock::time_point until);
  PGresult* next_result(std::chrono::steady_clock::time_point until);
  std::string trouble() const;
  std::chrono::steady_clock::time_point end_of_patience() const { return until_ ? *until_ : std::chrono::steady_clock::now() + kPatience; }

  enum class Sent { prepare, query };
  struct Queued {
    Sent what;
    const char* sql;
  };
  PGconn* connection_ = nullptr;
  bool lost_ = false;
  std::optional<std::chrono::steady_clock::time_point> until_;
  std::vector<Queued> queued_;
  std::set<const char*> prepared_;
};

// BEGIN is sent with what follows it; rolled back when it is left before the end.
class Transaction {
 public:
  enum class Kind { write, snapshot };  // snapshot: reads that see the whole as it is at one instant
  explicit Transaction(Connection& connection, Kind kind = Kind::write);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void send_commit();  // it is over with the next sync()

 private:
  Connection& connection_;
};

// Throws sdk::Error where the text is none that libpq takes, in words that do not repeat it: there is a password in it.
void refuse_bad_url(const std::string& url);

}  // namespace agentd::postgres
