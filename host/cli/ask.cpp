#include "host/cli/ask.hpp"

#include <algorithm>
#include <ostream>
#include <set>
#include <thread>

#include "core/base/name_text.hpp"
#include "core/base/plain_text.hpp"
#include "core/port/ledger.hpp"

namespace agentd::cli {
namespace {
using Json = nlohmann::ordered_json;
constexpr Millis kAnswerTimeout{30'000};
constexpr std::size_t kMostOfAPage = 1000;
constexpr std::chrono::milliseconds kBetweenQuestions{250};  // to a host that answers at once: as many wait there as may

Asked<Json> document(const Result<Reply>& reply) {
  if (!reply) return std::unexpected(refusal(reply.error()));
  if (reply->status < 200 || reply->status > 299) return std::unexpected(refusal(*reply));
  auto parsed = Json::parse(reply->body, nullptr, false);
  if (parsed.is_discarded()) return std::unexpected(Refusal{kFailed, "the host's answer is not JSON; is another program listening there?"});
  return parsed;
}

int exit_code_of(int status) {
  if (status == 401 || status == 403) return kRefused;
  if (status == 400 || status == 422 || status == 501) return kUsage;
  return kFailed;
}

}  // namespace

Asked<Http> connect(const Connection& connection) {
  auto place = Place::of(connection.url);
  if (!place) return std::unexpected(Refusal{kUsage, "--url: " + place.error().message});
  if (const auto unfit = unfit_for_a_name(connection.token); !unfit.empty()) return std::unexpected(Refusal{kUsage, "the token of --token or AGENTD_API_TOKEN " + std::string(unfit)});
  return Http(std::move(*place), connection.url, connection.token, connection.ca_file);
}

Asked<Json> get(const Connection& connection, const std::string& target) {
  const auto http = connect(connection);
  if (!http) return std::unexpected(http.error());
  return document(http->exchange("GET", target, "", kAnswerTimeout));
}

Asked<Json> get_list(const Connection& connection, const std::string& target, std::string_view name, std::size_t most) {
  Json whole;
  Json items = Json::array();
  std::string cursor;
  do {
    auto page_target = target + (target.find('?') == std::string::npos ? "?" : "&") + "limit=" + std::to_string(std::clamp<std::size_t>(most - items.size(), 1, kMostOfAPage));
    if (!cursor.empty()) page_target += "&cursor=" + percent_encode(cursor);
    auto page = get(connection, page_target);
    if (!page) return page;
    for (auto& item : (*page)[std::string(name)]) items.push_back(std::move(item));
    const auto next = page->value("next", Json());
    cursor = next.is_string() ? next.get<std::string>() : std::string();
    if (whole.is_null()) whole = std::move(*page);
    whole["next"] = next;
  } while (!cursor.empty() && items.size() < most);
  whole[std::string(name)] = std::move(items);
  return whole;
}

Asked<Json> post(const Connection& connection, const std::string& target, const Json& body, Millis timeout) {
  const auto http = connect(connection);
  if (!http) return std::unexpected(http.error());
  return document(http->exchange("POST", target, body.dump(-1, ' ', false, Json::error_handler_t::replace), timeout));
}

Asked<Json> patch(const Connection& connection, const std::string& target, const Json& body, Millis timeout) {
  const auto http = connect(connection);
  if (!http) return std::unexpected(http.error());
  return document(http->exchange("PATCH", target, body.dump(-1, ' ', false, Json::error_handler_t::replace), timeout));
}

Asked<Json> del(const Connection& connection, const std::string& target, Millis timeout) {
  const auto http = connect(connection);
  if (!http) return std::unexpected(http.error());
  return document(http->exchange("DELETE", target, "", timeout));
}

Refusal refusal(const Error& error) { return {error.error_class == ErrorClass::retryable ? kUnreachable : kFailed, error.message}; }

Refusal refusal(const Reply& reply) {
  const auto problem = Json::parse(reply.body, nullptr, false);
  std::string message = "the host answered " + std::to_string(reply.status);
  if (problem.is_object()) {
    message = problem.value("detail", problem.value("title", message));
    for (const auto& error : problem.value("errors", Json::array())) message += "\n  " + error.value("pointer", "") + ": " + error.value("detail", "");
  }
  if (reply.status == 401) message += " (--token or AGENTD_API_TOKEN)";
  return {exit_code_of(reply.status), message};
}

int tell(const Refusal& refusal, const Output& to) {
  to.err << "agentd: " << plain_text(refusal.message) << '\n';
  return refusal.exit_code;
}

std::string target(std::string path, std::initializer_list<std::pair<std::string_view, std::string_view>> query) {
  char before = '?';
  for (const auto& [name, value] : query) {
    if (value.empty()) continue;
    path += before + std::string(name) + "=" + percent_encode(value);
    before = '&';
  }
  return path;
}

std::string text(const Json& object, std::string_view member) {
  const auto found = object.find(member);
  if (found == object.end() || found->is_null() || (found->is_structured() && found->empty())) return "-";
  if (found->is_string()) return found->get<std::string>().empty() ? "-" : found->get<std::string>();
  return found->dump(-1, ' ', false, Json::error_handler_t::replace);
}

namespace {

// What a run asks of a person, each question once.
class Questions {
 public:
  explicit Questions(const Connection& connection, const Output& to) : connection_(connection), to_(to) {}

  void tell(const Json& run) {
    if (text(run, "waiting_for") != "approval") return;
    const auto run_id = text(run, "run_id");
    const auto answer = get_list(connection_, target("/v1/approvals", {{"agent", text(run, "agent_id")}}), "approvals");
    if (!answer) return;  // the next question to the host tells of it
    for (const auto& asked : answer->value("approvals", Json::array())) {
      if (text(asked, "run_id") != run_id || !told_.insert(text(asked, "call_id")).second) continue;
      const auto what = text(asked, "about") == "outcome" ? " waits for a person to say what became of " : " waits for a person to allow ";
      to_.err << "agentd: run " << run_id << what << plain_text(text(asked, "tool")) << ": agentd approvals approve " << plain_text(text(asked, "call_id")) << '\n' << std::flush;
    }
  }

 private:
  const Connection& connection_;
  const Output& to_;
  std::set<std::string> told_;
};

}  // namespace

bool is_over(const Json& run) {
  const auto status = port::run_status(run.value("status", ""));
  return status && port::is_final(*status);
}

Asked<Json> end_of(const Connection& connection, const std::string& run_id, Json run, const Output& to) {
  const auto path = target("/v1/runs/" + percent_encode(run_id), {{"wait", std::to_string(kWaitSeconds)}});
  Questions questions(connection, to);
  while (true) {
    questions.tell(run);
    const auto asked_at = std::chrono::steady_clock::now();
    auto later = get(connection, path);
    if (!later || is_over(*later)) return later;
    run = std::move(*later);
    std::this_thread::sleep_until(asked_at + kBetweenQuestions);
  }
}

void print_json(const Json& document, const Output& to) { to.out << plain_json(document.dump(2, ' ', false, Json::error_handler_t::replace)) << '\n'; }

}  // namespace agentd::cli
