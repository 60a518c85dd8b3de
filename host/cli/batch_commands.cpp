#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <ostream>
#include <span>
#include <thread>

#include "core/base/json_text.hpp"
#include "host/batch_item.hpp"
#include "host/cli/ask.hpp"
#include "host/cli/batch_file.hpp"

namespace agentd::cli {
namespace {
using Json = nlohmann::ordered_json;

constexpr std::size_t kPieceBytes = 256 << 10, kPieceLines = 500;
constexpr Millis kPieceTimeout{60'000};
constexpr Millis kLookAgain{500};
constexpr Millis kStopping{1'000};
constexpr Millis kAwayAtMost{60'000};  // a host that is started again goes on where it was
constexpr int kSharesOfTime = 5;       // no more than a fifth of it is spent on asking

void rest(Millis time) { std::this_thread::sleep_for(time); }

std::string number(const Json& batch, const char* member) { return std::to_string(batch.value(member, std::int64_t{0})); }

std::string spent_time(std::int64_t ms) {
  const auto tenths = ms / 100;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

std::string dollars(double amount) {
  char text[32];
  const auto size = std::snprintf(text, sizeof text, "%.4f", amount);
  return {text, static_cast<std::size_t>(size)};
}

std::int64_t ended(const Json& batch) {
  return batch.value("completed", 0) + batch.value("failed", 0) + batch.value("quarantined", 0);
}

// "report.4f2a...: 5 items: 4 done, 0 failed, 1 quarantined; 812 tokens, $0.0021, 3.2 s"
std::string summary(const Json& batch) {
  const auto usage = batch.value("usage", Json::object());
  const auto open = batch.value("items", std::int64_t{0}) - ended(batch);
  std::string line = text(batch, "batch_id") + ": " + number(batch, "items") + (number(batch, "items") == "1" ? " item: " : " items: ") + number(batch, "completed") +
                     " done, " + number(batch, "failed") + " failed, " + number(batch, "quarantined") + " quarantined";
  if (open > 0) line += ", " + std::to_string(open) + " to come";
  return line + "; " +
         std::to_string(usage.value("input_tokens", std::int64_t{0}) + usage.value("output_tokens", std::int64_t{0})) +
         " tokens, $" + dollars(usage.value("cost", 0.0)) + ", " + spent_time(batch.value("duration_ms", std::int64_t{0}));
}

// How far it is: a bar that is drawn over itself on a terminal, a line whenever something has changed in a pipe.
class Progress {
 public:
  Progress(const Output& to, std::size_t items, bool quiet) : to_(to), items_(items), quiet_(quiet) {}
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(std::size_t sent, const Json& batch) {
    if (quiet_) return;
    const auto over = static_cast<std::size_t>(ended(batch));
    auto words = "sent " + std::to_string(sent) + " of " + std::to_string(items_) + ", done " + number(batch, "completed") +
                 ", failed " + number(batch, "failed") + ", quarantined " + number(batch, "quarantined");
    if (words == said_) return;
    said_ = words;
    if (!to_.terminal.is_terminal) return void(to_.out << words << std::endl);
    constexpr std::size_t kWidth = 24;
    const auto full = items_ == 0 ? 0 : std::min(over, items_) * kWidth / items_;
    auto line = "[" + std::string(full, '#') + std::string(kWidth - full, '.') + "] " + words;
    if (to_.terminal.columns > 0) line = line.substr(0, to_.terminal.columns - 1);
    to_.out << "\r\x1b[K" << line << std::flush;
    drawn_ = true;
  }
  void clear() {
    if (std::exchange(drawn_, false)) to_.out << "\r\x1b[K" << std::flush;
  }

 private:
  const Output& to_;
  const std::size_t items_;
  const bool quiet_;
  std::string said_;
  bool drawn_ = false;
};

// One submit from its first line to its last item.
class Submission {
 public:
  Submission(const BatchSubmit& command, std::string name, Progress& progress)
      : command_(command),
        id_(command.agent + "." + name),
        target_("/v1/agents/" + percent_encode(command.agent) + "/batches?batch=" + name),
        progress_(progress) {}

  // All that the file has, as the queue has room.
  Asked<void> send() {
    BatchFile file(command_.file);
    for (auto lines = file.next(kPieceBytes, kPieceLines); !lines.empty(); lines = file.next(kPieceBytes, kPieceLines)) {
      for (std::span<const BatchLine> left = lines; !left.empty();) {
        const auto taken = send_some(left);
        if (!taken) return std::unexpected(taken.error());
        left = left.subspan(taken->items);
        sent_ += taken->items;
        if (left.empty()) break;
        if (auto seen = look(); !seen) return std::unexpected(seen.error());
        rest(taken->wait);
      }
    }
    return {};
  }

  std::size_t sent() const { return sent_; }

  // As it is now; the progress is shown.
  Asked<Json> look() {
    const auto begin = std::chrono::steady_clock::now();
    const auto ask = [this] { return get(command_.connection, "/v1/batches/" + percent_encode(id_)); };
    auto batch = reach<Json>(ask);
    if (!batch && sent_ == 0) batch = Json::object();  // nothing of it is there yet
    if (batch) progress_.show(sent_, *batch);
    took_ = std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now() - begin);
    return batch;
  }

  Asked<Json> until_ended() {
    while (true) {
      auto batch = look();
      if (!batch || batch->value("status", "") == "ended") return batch;
      rest(std::max(kLookAgain, took_ * kSharesOfTime));
    }
  }

 private:
  struct Taken {
    std::size_t items = 0;
    Millis wait{0};  // before the next is sent
  };

  // A host that has been reached may go away for a while; what is asked of it again is the same.
  template <class T>
  Asked<T> reach(const std::function<Asked<T>()>& ask) {
    const auto end = std::chrono::steady_clock::now() + kAwayAtMost;
    while (true) {
      auto answer = ask();
      if (answer || answer.error().exit_code != kUnreachable || !reached_ || std::chrono::steady_clock::now() >= end) {
        reached_ = reached_ || answer;
        return answer;
      }
      rest(kLookAgain);
    }
  }

  Asked<Taken> send_some(std::span<const BatchLine> lines) {
    const auto ask = [&] { return post_lines(lines); };
    return reach<Taken>(ask);
  }

  // The lines are told by their numbers, and follow each other without the empty ones that the file has between them.
  Asked<Taken> post_lines(std::span<const BatchLine> lines) {
    const auto http = connect(command_.connection);
    if (!http) return std::unexpected(http.error());
    std::string body;
    auto number = lines.front().number;
    for (const auto& line : lines) {
      body.append(static_cast<std::size_t>(line.number - number), '\n');
      body += line.text;
      number = line.number;
    }
    const auto reply = http->exchange("POST", target_ + "&from=" + std::to_string(lines.front().number), std::move(body),
                                      kPieceTimeout, "application/jsonl");
    // What nobody knows is asked again: an item that is there already is told by its key.
    if (!reply && reply.error().error_class == ErrorClass::unknown_outcome) return std::unexpected(Refusal{kUnreachable, reply.error().message});
    if (!reply) return std::unexpected(refusal(reply.error()));
    const bool is_told = reply->headers.contains("content-type") && reply->headers.at("content-type") == "application/jsonl";
    if (!is_told && reply->status == 503) return Taken{0, kStopping};  // another one may be started in its place
    if (!is_told) return std::unexpected(refusal(*reply));
    return read(reply->body);
  }

  // Those that were taken come before those that were not.
  Asked<Taken> read(std::string_view answer) const {
    Taken taken;
    while (!answer.empty()) {
      const auto end = answer.find('\n');
      const auto line = Json::parse(answer.substr(0, end), nullptr, false);
      answer.remove_prefix(end == answer.npos ? answer.size() : end + 1);
      if (!line.is_object())
        return std::unexpected(Refusal{kFailed, "the host's answer is not JSON; is another program listening there?"});
      const auto status = line.value("status", 0);
      if (status == 0) {
        ++taken.items;
      } else if (status == 429 || status == 503) {
        taken.wait = std::chrono::seconds(line.value("retry_after", 1));
        return taken;
      } else {
        return std::unexpected(Refusal{kFailed, command_.file + ":" + number(line, "line") + ": " + text(line, "error")});
      }
    }
    return taken;
  }

  const BatchSubmit& command_;
  const std::string id_, target_;
  Progress& progress_;
  std::size_t sent_ = 0;
  bool reached_ = false;
  Millis took_{0};
};

}  // namespace

int perform(const BatchSubmit& command, const Output& to) {
  if (!command.name.empty() && !host::is_batch_name(command.name))
    return tell(Refusal{kUsage, "--name: letters, digits, '-' and '_', at most 64"}, to);
  std::error_code none;
  if (std::filesystem::exists(command.file, none) && !std::filesystem::is_regular_file(command.file, none))
    return tell(Refusal{kUsage, command.file + " is no regular file: a batch is read twice, once to check all of it; nothing was sent"}, to);
  const auto checked = check_batch_file(command.file, command.agent);
  if (!checked.problems.empty()) {
    for (const auto& problem : checked.problems) to.err << problem << '\n';
    return tell(Refusal{kUsage, "nothing was sent"}, to);
  }
  Asked<Json> batch;
  {
    Progress progress(to, checked.items, command.connection.json);
    Submission submission(command, command.name.empty() ? checked.name : command.name, progress);
    const auto sent = submission.send();
    if (!sent) return progress.clear(), tell(sent.error(), to);
    if (submission.sent() != checked.items) {
      progress.clear();
      return tell(Refusal{kFailed, command.file + " was changed while it was sent: " + std::to_string(submission.sent()) + " of " + std::to_string(checked.items) + " items are in; submit it again"}, to);
    }
    batch = command.wait ? submission.until_ended() : submission.look();
  }
  if (!batch) return tell(batch.error(), to);
  command.connection.json ? print_json(*batch, to) : void(to.out << summary(*batch) << '\n');
  return batch->value("failed", 0) + batch->value("quarantined", 0) == 0 ? kDone : kFailed;
}

int perform(const BatchList& command, const Output& to) {
  const auto answer = get_list(command.connection, target("/v1/batches", {{"agent", command.agent}}), "batches");
  if (!answer) return tell(answer.error(), to);
  if (command.connection.json) return print_json(*answer, to), kDone;
  Table table({{"batch", Cut::never}, "status", "items", "done", "failed", "quarantined", "queued"});
  for (const auto& batch : answer->value("batches", Json::array()))
    table.row({text(batch, "batch_id"), text(batch, "status"), text(batch, "items"), text(batch, "completed"),
               text(batch, "failed"), text(batch, "quarantined"), to.terminal.moment(text(batch, "queued_at"))});
  to.out << table.text(to.terminal);
  return kDone;
}

int perform(const BatchShow& command, const Output& to) {
  const auto path = "/v1/batches/" + percent_encode(command.batch);
  auto batch = get(command.connection, path);
  if (!batch) return tell(batch.error(), to);
  const auto answer = get_list(command.connection, path + "/items", "items");
  if (!answer) return tell(answer.error(), to);
  auto items = answer->value("items", Json::array());
  std::reverse(items.begin(), items.end());
  if (command.connection.json) {
    (*batch)["item_list"] = std::move(items);
    return print_json(*batch, to), kDone;
  }
  Table table({{"key", Cut::never}, {"run", Cut::never}, "status", "result"});
  for (const auto& item : items)
    table.row({text(item, "key"), text(item, "run_id"), text(item, "status"),
               item.value("error", Json()).is_null() ? text(item, "result") : text(item, "error")});
  to.out << table.text(to.terminal) << summary(*batch) << '\n';
  return kDone;
}

}  // namespace agentd::cli
