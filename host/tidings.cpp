#include "host/tidings.hpp"

#include "core/base/json_text.hpp"
#include "core/event/expand.hpp"
#include "core/event/json_fields.hpp"

namespace agentd::host {
namespace {

constexpr std::size_t kLongestText = 256 << 10, kLongestTitle = 300;

Message told_by(const port::StoredRecord& record) {
  Message message;
  message.id = event_id(record.position, 0);
  message.at = record.at;
  return message;
}

std::string title_of(const std::string& text) {
  auto line = text.substr(0, text.find('\n'));
  return std::string(clip_utf8(line, kLongestTitle));
}

Message::Severity severity_of(std::string_view name) {
  if (name == "critical") return Message::Severity::critical;
  return name == "warning" ? Message::Severity::warning : Message::Severity::info;
}

template <class Alert>
Message message_of_alert(const port::StoredRecord& record, const Alert& alert, bool is_over) {
  auto message = told_by(record);
  message.type = is_over ? "alert.cleared" : "alert.raised";
  message.subject = "alert:" + alert.rule + ":" + alert.agent_id + ":" + alert.subject;
  message.severity = severity_of(alert.severity);
  message.is_over = is_over;
  message.title = title_of((is_over ? "Over: " : alert.severity + ": ") + alert.summary);
  event::ObjectWriter data;
  data.text("rule", alert.rule).text("severity", alert.severity).text("summary", alert.summary);
  if (!alert.agent_id.empty()) data.text("agent_id", alert.agent_id);
  if (!alert.subject.empty()) data.text("subject", alert.subject);
  message.data = data.finish();
  return message;
}

}  // namespace

Message message_of(const port::StoredRecord& record, const event::Ended& ended) {
  auto message = told_by(record);
  const std::string status = port::name(ended.status);
  message.type = "run." + status;
  message.subject = "agent:" + record.agent_id;
  event::ObjectWriter data;
  data.text("agent_id", record.agent_id).text("run_id", to_text(record.run)).text("status", status);
  data.number("duration_ms", ended.duration_ms).raw("usage", event::usage_json(ended.totals));
  if (ended.status == port::RunStatus::completed) {
    const auto json = ended.result_json();
    const auto text = event::string_value(json).value_or(std::string(json));
    message.title = record.agent_id + " completed";
    message.text = std::string(clip_utf8(text, kLongestText));
    if (json.size() <= kLongestText) data.raw("result", json.empty() ? "null" : json);
    else data.text("result", message.text).text("result_note", "shortened: it had " + std::to_string(text.size()) + " bytes; the run has it whole");
  } else {
    message.severity = ended.status == port::RunStatus::cancelled ? Message::Severity::info : Message::Severity::warning;
    message.title = record.agent_id + " " + (ended.status == port::RunStatus::timed_out ? "timed out" : status);
    message.text = ended.fault ? ended.fault->message : ended.reason;
    data.text("error", message.text);
    if (ended.fault) data.text("error_class", name(ended.fault->error_class));
  }
  message.data = data.finish();
  return message;
}

Message message_of(const port::StoredRecord& record, const event::AlertRaised& alert) { return message_of_alert(record, alert, false); }
Message message_of(const port::StoredRecord& record, const event::AlertCleared& alert) { return message_of_alert(record, alert, true); }

}  // namespace agentd::host
