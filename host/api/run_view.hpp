// A run and its steps as people see them, from its records.
#pragma once
#include <map>
#include <span>

#include "core/event/record.hpp"
#include "core/port/ledger.hpp"
#include "host/api/json.hpp"

namespace agentd::api {

// records: all of the run, the entry first. A record that cannot be read is left out.
Json run_view(std::span<const port::StoredRecord> records);
// The same for a list: without query and params and the sides of a difference, and with result, error and reason cut where they are long; "shortened" names
// those that are. Of a run that has ended the entry and the last record are enough.
Json run_summary(std::span<const port::StoredRecord> records);

// Each model call and tool call that has ended or was cut off, and what people decided: {"step", "kind": "model" | "tool" | "approval", "name",
// "outcome", ...}. "recorded": a replay's call that its record answered.
Json steps_view(std::span<const port::StoredRecord> records);
// The same, record by record.
class StepsReader {
 public:
  explicit StepsReader(RunId run) : run_(to_text(run)) {}
  Json read(const port::StoredRecord& record);  // its lines

 private:
  void model(const port::StoredRecord& record, const event::Answered& answered);
  void tool(const port::StoredRecord& record, const event::ToolFinished& finished);
  void failed(const port::StoredRecord& record, const event::CallFailed& failure);
  void lost(const port::StoredRecord& record, const std::optional<event::ModelCall>& call, const char* why);
  void decided(const port::StoredRecord& record, const event::Decided& decision);

  const std::string run_;
  Json lines_;
  std::map<std::pair<int, int>, event::CallAsked> asked_;  // by step and index
};

bool has_ended(std::span<const port::StoredRecord> records);

}  // namespace agentd::api
