#include "core/run/clean.hpp"

#include <optional>

namespace agentd::run {
namespace {

void clean(const port::Cleaner& cleaner, event::Fault& fault) { cleaner.clean(fault.message); }
void clean(const port::Cleaner& cleaner, std::optional<event::Fault>& fault) {
  if (fault) clean(cleaner, *fault);
}

struct Faults {
  const port::Cleaner& cleaner;
  void operator()(event::CallFailed& r) const { clean(cleaner, r.fault); }
  void operator()(event::Waiting& r) const {
    clean(cleaner, r.fault);
    cleaner.clean(r.reason);
  }
  void operator()(event::Reviewed& r) const {
    for (auto* text : {&r.by, &r.reason, &r.query}) cleaner.clean(*text);
    cleaner.clean_json(r.params.text);
  }
  void operator()(event::Gated& r) const { cleaner.clean(r.reason); }
  void operator()(event::Released& r) const { cleaner.clean(r.reason); }
  void operator()(event::Ended& r) const {
    clean(cleaner, r.fault);
    cleaner.clean(r.reason);
  }
  template <class T>
  void operator()(T&) const {}
};

}  // namespace

void clean(const port::Cleaner& cleaner, event::Entered& entered) {
  for (auto* text : {&entered.query, &entered.session, &entered.key, &entered.reason}) cleaner.clean(*text);
  cleaner.clean_json(entered.params.text);
}

void clean(const port::Cleaner& cleaner, port::Answer& answer) {
  cleaner.clean(answer.text);
  cleaner.clean_json(answer.extra);
  for (auto& call : answer.calls) {
    cleaner.clean(call.name);
    cleaner.clean_json(call.arguments);
  }
}

void clean_message(const port::Cleaner& cleaner, std::string& json) {
  const auto message = event::ObjectReader::open(json);
  if (!message) return cleaner.clean_json(json);
  const auto content = message->raw("content");
  std::string cleaned(content);
  cleaner.clean_json(cleaned);
  if (cleaned != content) json.replace(static_cast<std::size_t>(content.data() - json.data()), content.size(), cleaned);
}

void clean_faults(const port::Cleaner& cleaner, event::Body& body) { std::visit(Faults{cleaner}, body); }

}  // namespace agentd::run
