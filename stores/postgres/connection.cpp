#include "connection.hpp"

#include <agentd/sdk/error.hpp>
#include <poll.h>

#include <bit>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

namespace agentd::postgres {
namespace {

using Clock = std::chrono::steady_clock;

std::string one_line(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  for (auto& c : text)
    if (c == '\n') c = ' ';
  return text;
}

std::string name_of(const char* sql) { return "s" + std::to_string(reinterpret_cast<std::uintptr_t>(sql)); }

std::string quoted(const std::string& name) {
  std::string out = "\"";
  for (const char c : name) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

// What is durable once it is said to be, whatever the server's own habit; no plan reads a whole table; who stops half-way through a
// transaction does not keep the others waiting.
std::string session(const std::string& schema) {
  return "SELECT set_config('synchronous_commit',CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END,false);"
         "SET search_path=" + quoted(schema) +
         ";SET default_transaction_isolation='read committed';SET idle_in_transaction_session_timeout='5s';SET statement_timeout='8s';SET jit=off;"
         "SET enable_seqscan=off;SET plan_cache_mode=force_generic_plan;SET client_min_messages=warning;SET bytea_output=hex;SET timezone=UTC";
}

struct Options {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

// As libpq takes them; the parameters outlive it.
struct Binary {
  explicit Binary(const Parameters& parameters) {
    for (const auto& value : parameters.values()) {
      values.push_back(value.data());
      lengths.push_back(static_cast<int>(value.size()));
      formats.push_back(1);
    }
  }
  int count() const { return static_cast<int>(values.size()); }
  std::vector<const char*> values;
  std::vector<int> lengths, formats;
};

}  // namespace

void refuse_bad_url(const std::string& url) {
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, Options> options(PQconninfoParse(url.c_str(), &message));
  if (message) PQfreemem(message);
  if (!options) throw sdk::Error("url: is no connection string of PostgreSQL; write postgres://USER:PASSWORD@HOST:PORT/DATABASE, with %-escapes for signs in the password");
}

// ---- rows

std::int64_t Rowset::changed() const {
  const std::string_view count = PQcmdTuples(result_.get());
  std::int64_t value = 0;
  std::from_chars(count.data(), count.data() + count.size(), value);
  return value;
}

std::int64_t Rowset::integer(int row, int column) const {
  const auto text = bytes(row, column);
  std::int64_t value = text.empty() || static_cast<signed char>(text[0]) >= 0 ? 0 : -1;
  if (text.size() == 1) return text[0];
  for (const char c : text) value = static_cast<std::int64_t>(static_cast<std::uint64_t>(value) << 8 | static_cast<unsigned char>(c));
  return value;
}

double Rowset::real(int row, int column) const { return std::bit_cast<double>(integer(row, column)); }

std::string_view Rowset::bytes(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column), static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

// ---- the connection

Connection::Connection(const Place& place) {
  // What the url says of these counts more.
  const char* const keywords[] = {"fallback_application_name", "connect_timeout", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout", "dbname", nullptr};
  const char* const values[] = {"agentd", "5", "5", "2", "3", "10000", place.url.c_str(), nullptr};
  connection_ = PQconnectdbParams(keywords, values, 1);
  try {
    if (PQstatus(connection_) != CONNECTION_OK) lose(trouble());
    PQsetNoticeProcessor(connection_, [](void*, const char*) {}, nullptr);
    if (PQsetnonblocking(connection_, 1) != 0) lose(trouble());
    run(session(place.schema));
    if (PQenterPipelineMode(connection_) != 1) lose(trouble());
  } catch (...) {
    PQfinish(connection_);
    throw;
  }
}

Connection::~Connection() { PQfinish(connection_); }

std::string Connection::trouble() const {
  const auto text = one_line(PQerrorMessage(connection_));
  return text.empty() ? "the connection to the server is gone" : text;
}

void Connection::lose(const std::string& why) {
  lost_ = true;
  throw PgError({}, why);
}

void Connection::run(const std::string& script, std::optional<std::chrono::milliseconds> patience) {
  const bool piped = PQpipelineStatus(connection_) != PQ_PIPELINE_OFF;
  if (piped && PQexitPipelineMode(connection_) != 1) lose(trouble());
  const auto until = patience ? Clock::now() + *patience : end_of_patience();
  if (PQsendQuery(connection_, script.c_str()) != 1) lose(trouble());
  flush(until);
  std::optional<PgError> error;
  while (PGresult* const result = next_result(until)) {
    const Rowset owner(result);
    const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (state && !error) error.emplace(state, one_line(PQresultErrorMessage(result)));
  }
  if (PQstatus(connection_) != CONNECTION_OK) lose(error ? error->what() : trouble());
  if (piped && PQenterPipelineMode(connection_) != 1) lose(trouble());
  if (error) throw *error;
}

void Connection::begin(const std::string& sql) {
  if (PQpipelineStatus(connection_) != PQ_PIPELINE_OFF && PQexitPipelineMode(connection_) != 1) lose(trouble());
  if (PQsendQuery(connection_, sql.c_str()) != 1) lose(trouble());
  flush(end_of_patience());
}

bool Connection::is_over() {
  if (PQconsumeInput(connection_) != 1) lose(trouble());
  while (!PQisBusy(connection_)) {
    PGresult* const result = PQgetResult(connection_);
    if (!result) return true;
    const Rowset owner(result);
    if (const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE)) throw PgError(state, one_line(PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY)));
  }
  return false;
}

void Connection::send(const Statement& statement, const Parameters& parameters) {
  if (lost_) throw PgError({}, "the connection to the server is gone");
  const auto name = name_of(statement.sql);
  if (!prepared_.contains(statement.sql)) {
    if (PQsendPrepare(connection_, name.c_str(), statement.sql, 0, nullptr) != 1) lose(trouble());
    queued_.push_back({Sent::prepare, statement.sql});
    prepared_.insert(statement.sql);
  }
  const Binary binary(parameters);
  if (PQsendQueryPrepared(connection_, name.c_str(), binary.count(), binary.values.data(), binary.lengths.data(), binary.formats.data(), 1) != 1) lose(trouble());
  queued_.push_back({Sent::query, statement.sql});
}

void Connection::wait(bool to_write, Clock::time_point until) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    if (left <= 0) lose("the server did not answer in time");
    pollfd waiting{PQsocket(connection_), static_cast<short>(POLLIN | (to_write ? POLLOUT : 0)), 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(left));
    if (ready > 0) return;
    if (ready < 0 && errno != EINTR) lose(std::string("poll: ") + std::strerror(errno));
  }
}

void Connection::flush(Clock::time_point until) {
  for (;;) {
    const int left = PQflush(connection_);
    if (left == 0) return;
    if (left < 0) lose(trouble());
    wait(true, until);
    if (PQconsumeInput(connection_) != 1) lose(trouble());
  }
}

PGresult* Connection::next_result(Clock::time_point until) {
  while (PQisBusy(connection_)) {
    wait(false, until);
    if (PQconsumeInput(connection_) != 1) lose(trouble());
  }
  return PQgetResult(connection_);
}

std::vector<Rowset> Connection::sync(std::optional<std::chrono::milliseconds> patience) {
  if (lost_) throw PgError({}, "the connection to the server is gone");
  const auto until = patience ? Clock::now() + *patience : end_of_patience();
  const auto queued = std::exchange(queued_, {});
  if (PQpipelineSync(connection_) != 1) lose(trouble());
  flush(until);
  std::vector<Rowset> results;
  std::unique_ptr<PgError> error;
  for (const auto& one : queued) {
    PGresult* result = next_result(until);
    if (!result) lose(trouble());
    Rowset rows(result);
    const auto status = PQresultStatus(result);
    const bool fine = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (!fine) {
      if (one.what == Sent::prepare) prepared_.erase(one.sql);
      if (!error && status != PGRES_PIPELINE_ABORTED) {
        const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        const char* message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
        error = std::make_unique<PgError>(state ? state : "", one_line(message ? message : PQresultErrorMessage(result)));
      }
    } else if (one.what == Sent::query) {
      results.push_back(std::move(rows));
    }
    while (PGresult* more = next_result(until)) PQclear(more);
    if (error && PQstatus(connection_) != CONNECTION_OK) lose(error->what());
  }
  PGresult* end = next_result(until);
  if (!end || PQresultStatus(end) != PGRES_PIPELINE_SYNC) {
    PQclear(end);
    lose(error ? error->what() : trouble());
  }
  PQclear(end);
  if (!error) return results;
  const bool ends_session = error->state.starts_with("57P") || error->state.starts_with("08");  // the server goes away, or cut us off
  if (error->lost() || ends_session) lose(error->what());
  throw *error;
}

Rowset Connection::ask(const Statement& statement, const Parameters& parameters) {
  send(statement, parameters);
  auto results = sync();
  return std::move(results.back());
}

Rowset Connection::ask_once(const std::string& sql, const Parameters& parameters) {
  if (lost_) throw PgError({}, "the connection to the server is gone");
  const Binary binary(parameters);
  if (PQsendQueryParams(connection_, sql.c_str(), binary.count(), nullptr, binary.values.data(), binary.lengths.data(), binary.formats.data(), 1) != 1) lose(trouble());
  queued_.push_back({Sent::query, nullptr});
  auto results = sync();
  return std::move(results.back());
}

void Connection::rollback() noexcept {
  if (lost_) return;
  try {
    ask({"ROLLBACK"});  // behind what was sent and not asked for
  } catch (const std::exception&) {
    lost_ = true;
  }
}

bool Connection::wait_for_notice(int wake, std::chrono::milliseconds longest, std::string_view own) {
  pollfd waiting[] = {{PQsocket(connection_), POLLIN, 0}, {wake, POLLIN, 0}};
  ::poll(waiting, 2, static_cast<int>(longest.count()));
  if (PQconsumeInput(connection_) != 1) lose(trouble());
  bool noticed = false;
  while (PGnotify* notice = PQnotifies(connection_)) {
    noticed |= notice->extra != own;
    PQfreemem(notice);
  }
  return noticed;
}

// ---- transactions

Transaction::Transaction(Connection& connection, Kind kind) : connection_(connection) {
  connection_.send(kind == Kind::write ? Statement{"BEGIN"} : Statement{"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"});
}

Transaction::~Transaction() {
  if (!connection_.is_idle()) connection_.rollback();
}

void Transaction::send_commit() { connection_.send({"COMMIT"}); }

}  // namespace agentd::postgres
