#include "lines.hpp"

#include "line_id.hpp"
#include "stores/text/event_id.hpp"
#include "stores/text/event_json.hpp"
#include "stores/text/instant.hpp"

namespace agentd::jsonl {
namespace {

LineFile::Bounds bounds(const Lines::Config& config) {
  if (config.path.value.empty()) throw sdk::Error("path: the file to write is not set");
  if (config.max_bytes < 1024) throw sdk::Error("max_bytes: at least 1024");
  if (config.max_files < 1 || config.max_files > 1000) throw sdk::Error("max_files: 1 to 1000");
  return {static_cast<std::uint64_t>(config.max_bytes), static_cast<int>(config.max_files)};
}

std::string member(std::string_view line, const char* name) {
  const sdk::Json json(line);
  if (!json.valid() || json.kind() != sdk::Json::Kind::object) return {};
  const auto value = json[name];
  return value.kind() == sdk::Json::Kind::string ? value.string() : std::string();
}

}  // namespace

Lines::Lines(const Config& config)
    : file_(config.path.value.text(), bounds(config)), found_(id_of(file_.last_line())), found_at_(member(file_.last_line(), "timestamp")), last_id_(found_) {}

// Every ledger counts its positions from one. Events that are here already come again after the end of a process, and are the same
// then; those of another ledger have the same ids and are not. What is so old that it was deleted tells itself by its instant alone.
void Lines::check_came_before(const sdk::Event& e) {
  if (!earlier_) earlier_.emplace(file_.files(), e.id);
  const auto line = earlier_->line(e.id);
  const bool same = line.empty() ? stores::instant_text(e.timestamp_ms) <= found_at_ : member(line, "timestamp") == stores::instant_text(e.timestamp_ms) && member(line, "run_id") == e.run_id;
  if (!same)
    throw sdk::Error(file_.file().string() + " holds events of another ledger; move it away with those set aside (.1, .2, ...) and restart, or name another file");
  checked_ = e.id;
}

void Lines::append(const sdk::EventBatch& batch) {
  std::string lines, last = last_id_;
  for (const auto& e : batch) {
    if (!stores::is_before(found_, e.id) && stores::is_before(checked_, e.id)) check_came_before(e);
    if (!stores::is_before(last, e.id)) continue;
    stores::append_event_json(lines, e);
    lines += '\n';
    last = e.id;
  }
  if (lines.empty()) return;
  file_.append(lines);
  last_id_ = std::move(last);
  earlier_.reset();
}

}  // namespace agentd::jsonl
