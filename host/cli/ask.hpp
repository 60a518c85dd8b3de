// One question to the host and its answer, or what to tell the person instead.
#pragma once
#include <cstdint>
#include <expected>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "host/cli/client.hpp"
#include "host/cli/http.hpp"

namespace agentd::cli {

struct Refusal {
  int exit_code = kFailed;
  std::string message;
};
template <class T>
using Asked = std::expected<T, Refusal>;

Asked<Http> connect(const Connection& connection);
// A JSON document of a 2xx answer; problems become refusals.
Asked<nlohmann::ordered_json> get(const Connection& connection, const std::string& target);
// A list from all its pages, at most so many items: the first page's document with the items of all, and the `next` of the last.
// target: without limit and cursor.
Asked<nlohmann::ordered_json> get_list(const Connection& connection, const std::string& target, std::string_view name, std::size_t most = SIZE_MAX);
Asked<nlohmann::ordered_json> post(const Connection& connection, const std::string& target, const nlohmann::ordered_json& body, Millis timeout);
Asked<nlohmann::ordered_json> patch(const Connection& connection, const std::string& target, const nlohmann::ordered_json& body, Millis timeout);
Asked<nlohmann::ordered_json> del(const Connection& connection, const std::string& target, Millis timeout);
// What an answer of another status means for the person who asked.
Refusal refusal(const Reply& reply);
Refusal refusal(const Error& error);

int tell(const Refusal& refusal, const Output& to);  // to standard error; the exit code

// "/v1/runs" and {{"agent", "a"}, {"status", ""}} -> "/v1/runs?agent=a"
std::string target(std::string path, std::initializer_list<std::pair<std::string_view, std::string_view>> query);

// A member as text for people: strings without quotes, null and what is empty as "-".
std::string text(const nlohmann::ordered_json& object, std::string_view member);

// A run's document when it has ended, however long that takes.
inline constexpr int kWaitSeconds = 5;  // per question: a person hears soon of what a run waits for
bool is_over(const nlohmann::ordered_json& run);
// Tells what it waits for of a person meanwhile. `run` is as it was last seen.
Asked<nlohmann::ordered_json> end_of(const Connection& connection, const std::string& run_id, nlohmann::ordered_json run, const Output& to);

// A document as it came, for programs.
void print_json(const nlohmann::ordered_json& document, const Output& to);

}  // namespace agentd::cli
