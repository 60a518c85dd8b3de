#include "tests/support/bench/fake_plugins.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/tool/wire_name.hpp"

namespace agentd::support {
namespace {

bool fits(const port::MemoryEntry& entry, const port::MemoryQuery& query) {
  return (query.type == port::MemoryType::any || query.type == entry.type) && query.agent_id == entry.agent_id &&
         (query.session_id.empty() || query.session_id == entry.session_id) && (query.id.empty() || query.id == entry.id) &&
         (query.before == 0 || entry.position < query.before);
}

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  const auto dot = [](const auto& x, const auto& y) { return std::inner_product(x.begin(), x.end(), y.begin(), 0.0); };
  return dot(a, b) / std::sqrt(dot(a, a) * dot(b, b));
}

std::vector<port::MemoryEntry> nearest(const std::vector<port::MemoryEntry>& entries, const port::MemoryQuery& query) {
  std::vector<port::MemoryEntry> found;
  for (const auto& entry : entries) {
    if (!fits(entry, query) || entry.vector.empty() || entry.space != query.space) continue;
    found.push_back(entry);
    found.back().score = cosine(entry.vector, query.vector);
  }
  std::ranges::sort(found, std::greater<>(), &port::MemoryEntry::score);
  if (found.size() > query.limit) found.resize(query.limit);
  return found;
}

}  // namespace

Turn say(std::string text) {
  Turn turn;
  turn.answer.text = std::move(text);
  turn.answer.usage = port::Usage{.input_tokens = 100, .output_tokens = 10};
  return turn;
}

Turn calls(std::vector<std::pair<std::string, std::string>> tools) {
  Turn turn = say("");
  turn.answer.finish_reason = port::FinishReason::tool_calls;
  for (auto& [tool, arguments] : tools) turn.answer.calls.push_back({"call_1", tool::wire_name(tool), std::move(arguments)});
  return turn;
}

Turn call(std::string tool, std::string arguments) { return calls({{std::move(tool), std::move(arguments)}}); }

Turn cut_off(std::string text) {
  Turn turn = say(std::move(text));
  turn.answer.finish_reason = port::FinishReason::length;
  return turn;
}

port::ModelError server_error(std::optional<Millis> retry_after) { return {port::Status::retryable, port::Failure::server, "503 from the endpoint", retry_after}; }
port::ModelError bad_credentials() { return {port::Status::terminal, port::Failure::credentials, "401 from the endpoint", {}}; }
port::ModelError bad_request() { return {port::Status::terminal, port::Failure::other, "400 from the endpoint", {}}; }

Async<std::expected<port::Answer, port::ModelError>> FakeProvider::complete(port::Completion completion, std::stop_token stop) {
  Request request{completion.call_id, {}, std::string(completion.tools), completion.options, completion.listen != nullptr, completion.model};
  std::size_t answers = 0;
  for (const auto& message : completion.messages) {
    request.messages.push_back(message.json);
    if (message.role == port::Role::assistant) ++answers;
  }
  requests.push_back(std::move(request));
  if (on_request) on_request(requests.size());
  const std::size_t place = answers - recalled_answers;
  const bool is_digest = !digests.empty() && requests.back().messages[0].contains(" material: do nothing");
  const auto& script = is_digest ? digests : turns;
  auto& failed = failed_[{is_digest, place}];
  if (place >= script.size()) co_return std::unexpected(port::ModelError{port::Status::terminal, port::Failure::other, "the script has no more answers", {}});
  const Turn turn = script[place];
  const bool whole = co_await sleep(world_, turn.takes, stop);
  if (!whole) co_return std::unexpected(port::ModelError{port::Status::cancelled, port::Failure::other, "stopped", {}});
  if (failed < turn.failures.size()) co_return std::unexpected(turn.failures[failed++]);
  if (completion.listen) completion.listen({.text = turn.answer.text});
  co_return turn.answer;
}

Async<std::expected<port::Embedded, port::ModelError>> FakeProvider::embed(port::Embedding request, std::stop_token stop) {
  embeddings.push_back(request);
  const bool whole = co_await sleep(world_, std::min(embedding_takes, request.timeout), stop);
  if (!whole) co_return std::unexpected(port::ModelError{port::Status::cancelled, port::Failure::other, "stopped", {}});
  if (embedding_takes > request.timeout) co_return std::unexpected(port::ModelError{port::Status::unknown_outcome, port::Failure::answer, "it did not answer in time", {}});
  co_return embedder(request);
}

FakeToolset::FakeToolset(VirtualWorld& world, std::vector<FakeTool> tools) : world_(world), tools_(std::move(tools)) {
  auto list = std::make_shared<std::vector<port::ToolSpec>>();
  for (const auto& tool : tools_) list->push_back({tool.name, "A tool", tool.schema, tool.effect, tool.reconciles});
  list_ = std::move(list);
}

const FakeTool& FakeToolset::tool(const std::string& name) const { return *std::ranges::find(tools_, name, &FakeTool::name); }

Async<port::Outcome> FakeToolset::call(port::ToolCall made, std::stop_token stop) {
  const auto& asked = tool(made.tool);
  begun.push_back(made.call_id);
  const auto nth = begun.size();
  most_at_once = std::max(most_at_once, ++at_once);
  if (before_body) before_body(nth);
  const bool in_time = asked.takes <= made.timeout;
  const bool whole = co_await sleep(world_, std::min(asked.takes, made.timeout), stop);
  --at_once;
  if (!whole) co_return port::Outcome{asked.sent_when_stopped ? port::Status::unknown_outcome : port::Status::cancelled, "stopped", {}};
  if (!in_time) co_return port::Outcome{port::Status::unknown_outcome, "it did not answer in time", {}};
  auto outcome = asked.body ? asked.body(made) : port::Outcome{port::Status::ok, "\"done\"", {}};
  if (outcome.status == port::Status::ok) happened.push_back(made.call_id);
  if (after_body) after_body(nth);
  co_return outcome;
}

Async<port::Outcome> FakeToolset::reconcile(port::ToolCall made) {
  const bool did = std::ranges::find(happened, made.call_id) != happened.end();
  co_return did ? port::Outcome{port::Status::ok, "\"done before\"", {}} : port::Outcome{port::Status::retryable, "it did not happen", {}};
}

Async<port::Outcome> FakeTask::run(port::TaskRun asked, std::stop_token) {
  runs.push_back(asked);
  co_return body ? body(asked) : port::Outcome{port::Status::ok, R"({"result":"done"})", {}};
}

Async<Result<void>> FakeMemory::put(std::vector<port::MemoryEntry> added, Millis timeout) {
  const Millis wait = std::min(writes_take, timeout);
  const std::stop_token never;
  if (wait > Millis(0)) co_await sleep(world_, wait, never);
  if (writes_take > timeout) co_return fail(ErrorClass::retryable, "the store took too long");
  if (failing_writes > 0 && failing_writes--) co_return fail(ErrorClass::retryable, "the store is away");
  for (auto& entry : added) {
    const auto same = std::ranges::find_if(entries, [&](const auto& kept) { return kept.agent_id == entry.agent_id && kept.id == entry.id; });
    entry.position = same != entries.end() ? same->position : entries.empty() ? 1 : entries.back().position + 1;
    if (same == entries.end()) entries.push_back(std::move(entry));
    else *same = std::move(entry);
  }
  co_return Result<void>{};
}

Async<Result<std::vector<port::MemoryEntry>>> FakeMemory::list(port::MemoryQuery query) {
  if (on_read) on_read();
  if (failing_reads > 0 && failing_reads--) co_return fail(ErrorClass::retryable, "the store is away");
  query.id.clear();  // of remove alone
  std::vector<port::MemoryEntry> found;
  for (auto at = entries.rbegin(); at != entries.rend() && found.size() < query.limit; ++at)
    if (fits(*at, query)) found.push_back(*at);
  co_return found;
}

Async<Result<std::vector<port::MemoryEntry>>> FakeMemory::search(port::MemoryQuery query) {
  if (on_read) on_read();
  if (failing_reads > 0 && failing_reads--) co_return fail(ErrorClass::retryable, "the store is away");
  if (!query.vector.empty()) co_return nearest(entries, query);
  std::vector<port::MemoryEntry> found;
  for (const auto& entry : entries) {
    if (!fits(entry, query) || found.size() == query.limit) continue;
    for (std::size_t at = 0; at < query.text.size();) {
      const auto end = std::min(query.text.find(' ', at), query.text.size());
      if (end > at && entry.text.find(query.text.substr(at, end - at)) != std::string::npos) {
        found.push_back(entry);
        break;
      }
      at = end + 1;
    }
  }
  co_return found;
}

Async<Result<std::uint64_t>> FakeMemory::remove(port::MemoryQuery query) {
  query.before = 0;  // of list alone
  co_return std::erase_if(entries, [&](const auto& entry) { return fits(entry, query); });
}

void PlainCleaner::clean(std::string& text) const {
  if (secret_.empty()) return;
  for (auto at = text.find(secret_); at != std::string::npos; at = text.find(secret_, at)) text.replace(at, secret_.size(), "[secret]");
}

}  // namespace agentd::support
