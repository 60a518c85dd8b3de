#include "event_json.hpp"

#include <agentd/sdk/json.hpp>

#include "stores/text/instant.hpp"

namespace agentd::stores {
namespace {

void append_member(std::string& out, const char* name, std::string_view value) {
  out += out.back() == '{' ? "\"" : ",\"";
  out += name;
  out += "\":";
  sdk::write_string(out, value);
}

// Of no run, of no session: null.
void append_name(std::string& out, const char* name, std::string_view value) {
  if (!value.empty()) return append_member(out, name, value);
  ((out += ",\"") += name) += "\":null";
}

}  // namespace

void append_event_json(std::string& out, const sdk::Event& event) {
  out += '{';
  append_member(out, "id", event.id);
  append_member(out, "type", event.type);
  append_member(out, "agent_id", event.agent_id);
  append_member(out, "agent_name", event.agent_id);
  append_name(out, "run_id", event.run_id);
  append_name(out, "session_id", event.session_id);
  append_member(out, "timestamp", instant_text(event.timestamp_ms));
  out += ",\"payload\":";
  for (const char c : event.payload.empty() ? "{}" : event.payload) out += c == '\n' || c == '\r' ? ' ' : c;  // between tokens: strings have none
  out += '}';
}

}  // namespace agentd::stores
